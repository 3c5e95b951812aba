#include "store/postgres/postgres_store.h"

#include "store/postgres/test_database.h"

#include <utility>

namespace penstock::store::postgres {
namespace {

using flow::CommitEnd;
using flow::Merge;

// The contract's table, made by `columns` instead.
flow::StoreSpec in_table(PostgresHarness& harness, Merge merge, const std::string& columns) {
  harness.run("CREATE TABLE " + harness.schema() + ".t (" + columns + ")");
  return flow::store_contract_spec(merge);
}

std::string refusal(const std::string& columns, Merge merge) {
  PostgresHarness harness;
  const flow::StoreSpec spec = in_table(harness, merge, columns);
  auto made = harness.store().create_missing(spec.table);
  if (made) return "";
  CHECK(made.error().code == "S002"_code);
  CHECK_FALSE(made.error().cure.empty());
  return made.error().message;
}

bool has(const std::string& text, std::string_view piece) { return text.find(piece) != text.npos; }

}  // namespace

TEST_CASE("tables that do not fit are told with a cure, before anything is written") {
  CHECK(has(refusal("id text PRIMARY KEY, at text, v float8", Merge::upsert), "\"at\" as text"));
  CHECK(has(refusal("id text, at bigint, v float8", Merge::upsert), "no unique index"));
  CHECK(has(refusal("id text, at bigint, v float8, UNIQUE (id) DEFERRABLE", Merge::upsert),
            "no unique index"));
  CHECK(has(refusal("id text PRIMARY KEY, at bigint, v float8", Merge::append), "appends"));
  CHECK(has(refusal("id text PRIMARY KEY, at bigint, v real", Merge::upsert), "\"v\" as float4"));
  CHECK(has(refusal("id text PRIMARY KEY, at bigint, v float8, w int NOT NULL", Merge::upsert),
            "needs a value in \"w\""));
  CHECK(has(refusal("id text PRIMARY KEY, at bigint GENERATED ALWAYS AS IDENTITY, v float8",
                    Merge::upsert),
            "computes \"at\""));
  CHECK(has(refusal("id text PRIMARY KEY, v float8, at bigint GENERATED ALWAYS AS (1) STORED",
                    Merge::upsert),
            "computes \"at\""));
}

TEST_CASE("columns in another order, narrower ones, defaults, generated and identity columns fit") {
  PostgresHarness harness;
  const flow::StoreSpec spec = in_table(
      harness, Merge::upsert,
      "n bigint GENERATED ALWAYS AS IDENTITY, v float8, twice float8 GENERATED ALWAYS AS (v * 2) "
      "STORED, at smallint, made timestamptz NOT NULL DEFAULT now(), id varchar(3) UNIQUE NOT "
      "NULL");
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  writer.write({0, 0}, 0, {{"a", 1, 1.5}, {"b", 40'000, 1.5}, {"long", 1, 1.5}, {"c", 2, 2.5}});
  const flow::Ended ended = writer.commit(owned, 0, 4);
  REQUIRE(ended.end == CommitEnd::rejected);
  REQUIRE(ended.rejected.size() == 2);
  CHECK(ended.rejected[0].reason == "store.out_of_range");
  CHECK(ended.rejected[1].reason == "store.too_large");
  REQUIRE(writer.commit(owned, 0, 4).end == CommitEnd::done);
  CHECK(harness.run("SELECT sum(twice) FROM " + harness.schema() + ".t").cells[0][0] == "8");
  const auto notes = dynamic_cast<PostgresStore&>(harness.store()).compare(spec.table);
  REQUIRE(notes.has_value());
  CHECK(notes->size() == 2);
}

TEST_CASE("a constraint that waits for COMMIT, and one between two rows, cost their rows only") {
  PostgresHarness harness;
  const flow::StoreSpec spec = in_table(harness, Merge::upsert,
                                        "id text PRIMARY KEY, at bigint UNIQUE, v float8, CHECK (v "
                                        "< 100)");
  harness.run("CREATE TABLE " + harness.schema() + ".known (v float8 PRIMARY KEY); INSERT INTO " +
              harness.schema() + ".known VALUES (1.5); ALTER TABLE " + harness.schema() +
              ".t ADD FOREIGN KEY (v) REFERENCES " + harness.schema() +
              ".known DEFERRABLE INITIALLY DEFERRED");
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  writer.write({0, 0}, 0, {{"a", 1, 1.5}, {"b", 1, 1.5}, {"c", 2, 2.5}, {"d", 3, 1.5}});
  const flow::Ended ended = writer.commit(owned, 0, 4);
  REQUIRE(ended.end == CommitEnd::rejected);
  REQUIRE(ended.rejected.size() == 2);
  CHECK(ended.rejected[0].row.offset == Offset{1});  // the second of the two
  CHECK(ended.rejected[1].row.offset == Offset{2});
  REQUIRE(writer.commit(owned, 0, 4).end == CommitEnd::done);
  CHECK(flow::contract_rows(harness, spec) == 2);
}

TEST_CASE("keys that are equal for the server only: the later row wins") {
  PostgresHarness harness;
  harness.run("CREATE COLLATION IF NOT EXISTS " + harness.schema() +
              ".loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
  const flow::StoreSpec spec =
      in_table(harness, Merge::upsert,
               "id text COLLATE " + harness.schema() + ".loose PRIMARY KEY, at bigint, v float8");
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  writer.write({0, 0}, 0, {{"a", 1, 1.5}, {"A", 2, 2.5}, {"b", 3, 3.5}});
  REQUIRE(writer.commit(owned, 0, 3).end == CommitEnd::done);
  CHECK(flow::contract_rows(harness, spec) == 2);
  CHECK(flow::contract_has(harness, spec, {"\"v\":2.5"}));
}

TEST_CASE("a worker that stands still inside its COPY is ended by the next claim") {
  PostgresHarness harness;
  const flow::StoreSpec spec = flow::store_contract_spec(Merge::append);
  flow::ContractWriter zombie(harness, spec);
  const flow::Owned old = zombie.claim();
  // Only part of a COPY leaves: the proxy takes in more and passes nothing on.
  harness.proxy().stall_in_copy();
  zombie.write({0, 0}, 0, {{"a", 1, 1.5}});
  zombie.sink().begin_commit({{{{0, 0}, old.term, {0}, {1}, {}}}, nullptr});
  harness.proxy().wait_for_stall();
  PostgresStore direct(test_settings(harness.server_port(), harness.schema()));
  flow::StoreContractWaker waker;
  auto heir = direct.open_sink(spec, waker);
  REQUIRE(heir.has_value());
  (*heir)->begin_claim({{0, 0}}, nullptr);
  flow::SinkEvent event = flow::Waiting{};
  while (std::holds_alternative<flow::Waiting>(event = (*heir)->poll())) waker.wait();
  REQUIRE(std::holds_alternative<flow::Claimed>(event));
  CHECK(std::get<flow::Claimed>(event).owned.at(0).next == Offset{0});
  harness.proxy().go_on();
  const flow::SinkEvent late = zombie.wait();
  REQUIRE(std::holds_alternative<flow::Ended>(late));
  CHECK(std::get<flow::Ended>(late).end != CommitEnd::done);
  CHECK(flow::contract_rows(harness, spec) == 0);
}

TEST_CASE("a table that vanishes: the next claim says so, and is not tried soon") {
  PostgresHarness harness;
  const flow::StoreSpec spec = flow::store_contract_spec(Merge::append);
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  harness.run("DROP TABLE " + harness.schema() + ".t");
  writer.write({0, 0}, 0, {{"a", 1, 1.5}});
  CHECK(writer.commit(owned, 0, 1).end == CommitEnd::unknown);
  writer.abort();
  const flow::SinkEvent event = writer.try_claim({{0, 0}});
  REQUIRE(std::holds_alternative<flow::ClaimFailed>(event));
  CHECK_FALSE(std::get<flow::ClaimFailed>(event).retry);
  CHECK(std::get<flow::ClaimFailed>(event).error.code == "S002"_code);
  CHECK(has(std::get<flow::ClaimFailed>(event).error.cure, "CREATE TABLE"));
}

TEST_CASE("what the role may not do, or the server does not know, ends a start with 69") {
  PostgresHarness harness;
  const flow::StoreTable table = flow::store_contract_spec(Merge::upsert).table;
  const auto error_of = [&](const char* name, const char* value, bool create = true) {
    StoreSettings settings = test_settings(harness.server_port(), harness.schema());
    settings.create = create;
    for (auto& [parameter, old] : settings.connection.parameters) {
      if (parameter == name) old = value;
    }
    auto made = PostgresStore(settings).create_missing(table);
    REQUIRE_FALSE(made.has_value());
    CHECK(exit_code(made.error()) == 69);
    CHECK_FALSE(has(one_line(made.error()), "wr0ng"));
    return made.error();
  };
  CHECK(error_of("password", "wr0ng").code == "S020"_code);
  CHECK(error_of("user", "nobody_of_that_name").code == "S020"_code);
  CHECK(error_of("dbname", "nowhere").code == "S020"_code);
  const Error missing = error_of("", "", false);
  CHECK(missing.code == "S002"_code);
  CHECK(has(missing.cure, "create: true"));
  CHECK(has(missing.cure, "CREATE TABLE"));
  const std::string role = harness.schema() + "_reader";
  harness.run("CREATE ROLE " + role + " LOGIN PASSWORD 'penstock'; GRANT USAGE ON SCHEMA " +
              harness.schema() + " TO " + role);
  CHECK(error_of("user", role.c_str()).code == "S020"_code);
  harness.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("TLS is verified: the authority, and the name of the host") {
  PostgresHarness harness;
  const auto connects = [&](const char* host, const std::string& ca) {
    StoreSettings settings = test_settings(harness.server_port(), harness.schema());
    auto& parameters = settings.connection.parameters;
    for (auto& [name, value] : parameters) {
      if (name == "host") value = host;
      if (name == "sslmode") value = "verify-full";
    }
    parameters.emplace_back("sslrootcert", ca);
    return PostgresStore(settings).state(flow::store_contract_spec(Merge::append)).has_value();
  };
  CHECK(connects("localhost", test_fact("DIR") + "/ca.pem"));
  CHECK_FALSE(connects("127.0.0.1", test_fact("DIR") + "/ca.pem"));
  CHECK_FALSE(connects("localhost", test_fact("DIR") + "/no.pem"));
  CHECK_FALSE(connects("localhost", "/etc/ssl/certs/ca-certificates.crt"));
}

TEST_CASE("a table for each client, in schemas of their own") {
  PostgresHarness harness;
  flow::StoreSpec spec = flow::store_contract_spec(Merge::upsert);
  const std::string a = harness.schema() + "a", b = harness.schema() + "b";
  harness.run("CREATE SCHEMA " + a + "; CREATE SCHEMA " + b);
  spec.table.each = {a + ".t", b + ".t"};
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  writer.write({0, 0}, 0, {{"x", 1, 1.5}}, 1);
  writer.write({0, 0}, 1, {{"x", 1, 2.5}, {"y", 1, 2.5}}, 0);
  REQUIRE(writer.commit(owned, 0, 3).end == CommitEnd::done);
  CHECK(harness.run("SELECT string_agg(v::text, ',' ORDER BY id) FROM " + a + ".t").cells[0][0] ==
        "2.5,2.5");
  CHECK(harness.run("SELECT string_agg(v::text, ',') FROM " + b + ".t").cells[0][0] == "1.5");
  CHECK(flow::contract_rows(harness, spec) == 3);
  harness.run("DROP SCHEMA " + a + " CASCADE; DROP SCHEMA " + b + " CASCADE");
}

}  // namespace penstock::store::postgres
