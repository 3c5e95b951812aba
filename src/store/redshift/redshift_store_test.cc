#include "store/redshift/redshift_store.h"

#include "store/redshift/test_cluster.h"

#include <utility>

namespace penstock::store::redshift {
namespace {

using flow::CommitEnd;
using flow::Merge;

// The contract's table, made by `columns` instead.
flow::StoreSpec in_table(RedshiftHarness& harness, Merge merge, const std::string& columns) {
  harness.run("CREATE TABLE \"" + harness.schema() + "\".\"t\" (" + columns + ")");
  return flow::store_contract_spec(merge);
}

std::string refusal(const std::string& columns, Merge merge) {
  RedshiftHarness harness(Way::insert);
  const flow::StoreSpec spec = in_table(harness, merge, columns);
  auto made = harness.store().create_missing(spec.table);
  if (made) return "";
  CHECK(made.error().code == "S002"_code);
  CHECK_FALSE(made.error().cure.empty());
  return made.error().message;
}

bool has(const std::string& text, std::string_view piece) { return text.find(piece) != text.npos; }

// One text field beside the key, written and read again.
std::string round_trip(Way way, const std::string& text) {
  RedshiftHarness harness(way);
  const flow::StoreSpec spec = flow::store_contract_spec(Merge::upsert);
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  writer.write({0, 0}, 0, {{text, 1, 1.5}});
  const flow::Ended ended = writer.commit(owned, 0, 1);
  if (ended.end == CommitEnd::rejected) return ended.rejected.at(0).reason;
  REQUIRE(ended.end == CommitEnd::done);
  auto rows = harness.reader().newest(spec.table, 10, flow::RowFilter{"id", text});
  REQUIRE(rows.has_value());
  REQUIRE(rows->size() == 1);
  return rows->at(0);
}

}  // namespace

TEST_CASE("tables that do not fit are told with a cure, before anything is written") {
  CHECK(has(refusal(R"("id" varchar(9), "at" varchar(9), "v" double precision)", Merge::upsert),
            "\"at\" as character varying"));
  CHECK(has(refusal(R"("id" varchar(9), "at" bigint, "v" real)", Merge::upsert), "\"v\" as real"));
  CHECK(has(refusal(R"("id" varchar(9), "at" bigint, "v" double precision, "w" date NOT NULL)",
                    Merge::upsert),
            "needs a value in \"w\""));
  CHECK(has(refusal(R"("id" varchar(9), "at" bigint, "v" double precision, PRIMARY KEY ("at"))",
                    Merge::upsert),
            "claims the key (at)"));
  CHECK(has(refusal(R"("id" varchar(9), "at" bigint, "v" double precision, PRIMARY KEY ("id"))",
                    Merge::append),
            "claims the key (id)"));
}

TEST_CASE(
    "columns in another order and narrower ones fit; what has no place is refused by itself") {
  for (const Way way : {Way::insert, Way::copy}) {
    RedshiftHarness harness(way);
    const flow::StoreSpec spec = in_table(
        harness, Merge::upsert,
        R"("v" double precision, "w" date, "at" smallint NOT NULL, "id" varchar(3) NOT NULL)");
    flow::ContractWriter writer(harness, spec);
    const flow::Owned owned = writer.claim();
    writer.write({0, 0}, 0, {{"a", 1, 1.5}, {"b", 40'000, 1.5}, {"grün", 1, 1.5}, {"c", 2, 2.5}});
    const flow::Ended ended = writer.commit(owned, 0, 4);
    REQUIRE(ended.end == CommitEnd::rejected);
    REQUIRE(ended.rejected.size() == 2);
    CHECK(ended.rejected[0].reason == "store.out_of_range");
    CHECK(ended.rejected[1].reason == "store.too_large");
    REQUIRE(writer.commit(owned, 0, 4).end == CommitEnd::done);
    CHECK(flow::contract_rows(harness, spec) == 2);
    const auto notes = dynamic_cast<RedshiftStore&>(harness.store()).compare(spec.table);
    REQUIRE(notes.has_value());
    CHECK(notes->size() == 2);
  }
}

TEST_CASE("keys that differ in blanks at their end are one key: the later row wins") {
  for (const Way way : {Way::insert, Way::copy}) {
    RedshiftHarness harness(way);
    const flow::StoreSpec spec = flow::store_contract_spec(Merge::upsert);
    flow::ContractWriter writer(harness, spec);
    const flow::Owned owned = writer.claim();
    writer.write({0, 0}, 0, {{"a", 1, 1.5}, {"a ", 2, 2.5}, {"b", 3, 3.5}});
    REQUIRE(writer.commit(owned, 0, 3).end == CommitEnd::done);
    CHECK(flow::contract_rows(harness, spec) == 2);
    writer.write({0, 0}, 3, {{"a  ", 4, 4.5}});
    REQUIRE(writer.commit(owned, 3, 4).end == CommitEnd::done);
    CHECK(flow::contract_rows(harness, spec) == 2);
    CHECK(flow::contract_has(harness, spec, {"\"v\":4.5"}));
  }
}

TEST_CASE("texts that mean something to COPY or to a literal arrive as they were") {
  for (const Way way : {Way::insert, Way::copy}) {
    CHECK(has(round_trip(way, "\\N"), R"("id":"\\N")"));
    CHECK(has(round_trip(way, "it's | a \\ \"b\""), R"("id":"it's | a \\ \"b\"")"));
    CHECK(has(round_trip(way, "a\tb\nc"), R"("id":"a\tb\nc")"));
    CHECK(has(round_trip(way, "€ 名前"), "\"id\":\"€ 名前\""));
    CHECK(round_trip(way, std::string(kNullText)) == "store.constraint");
  }
}

TEST_CASE("error 1023 repeats the epoch, with what was staged") {
  RedshiftHarness harness(Way::copy);
  const flow::StoreSpec spec = flow::store_contract_spec(Merge::append);
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  writer.write({0, 0}, 0, {{"a", 1, 1.5}});
  harness.command(R"({"raise_1023": 2})");
  const uint64_t before = FolderStaging::puts;
  CHECK(writer.commit(owned, 0, 1).end == CommitEnd::retry);
  CHECK(writer.commit(owned, 0, 1).end == CommitEnd::retry);
  REQUIRE(writer.commit(owned, 0, 1).end == CommitEnd::done);
  CHECK(FolderStaging::puts == before + 1);
  CHECK(flow::contract_rows(harness, spec) == 1);
}

TEST_CASE("the Data API: a few rows are one INSERT, what is too much for a statement is staged") {
  RedshiftHarness harness(Way::data_insert);
  const flow::StoreSpec spec = flow::store_contract_spec(Merge::append);
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  int64_t from = 0;
  for (const size_t bytes : {5, 30'000, 60'000}) {
    const uint64_t before = FolderStaging::puts;
    writer.write({0, 0}, from,
                 {{std::string(bytes, 'x'), 1, 1.5}, {std::string(bytes, 'y'), 1, 1.5}});
    REQUIRE(writer.commit(owned, from, from + 2).end == CommitEnd::done);
    CHECK(FolderStaging::puts == before + (bytes == 60'000 ? 1 : 0));
    from += 2;
  }
  CHECK(flow::contract_rows(harness, spec) == 6);
}

TEST_CASE("the report of a load names the row and the reason") {
  RedshiftHarness harness(Way::copy);
  const flow::StoreSpec spec = flow::store_contract_spec(Merge::append);
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  harness.refuse_above(9);
  writer.write({0, 0}, 0, {{"a", 1, 10.5}, {"b", 1, 1.5}, {"c", 1, 1.5}, {"d", 1, 11.5}});
  const uint64_t before = harness.proxy().transactions();
  const flow::Ended ended = writer.commit(owned, 0, 4);
  REQUIRE(ended.end == CommitEnd::rejected);
  REQUIRE(ended.rejected.size() == 2);
  CHECK(ended.rejected[0].row.offset == Offset{0});
  CHECK(ended.rejected[1].row.offset == Offset{3});
  CHECK(has(ended.rejected[1].detail, "c2: refused on purpose (1207)"));
  CHECK(harness.proxy().transactions() <= before + 2);
}

TEST_CASE("a session that stands still with the positions in hand is ended by the next claim") {
  RedshiftHarness harness(Way::insert);
  const flow::StoreSpec spec = flow::store_contract_spec(Merge::append);
  flow::ContractWriter zombie(harness, spec);
  const flow::Owned old = zombie.claim();
  auto holder = Connection::open(test_connection(harness.server_port()), nullptr);
  REQUIRE(holder.has_value());
  REQUIRE(
      holder->run("BEGIN; LOCK TABLE \"" + harness.schema() + "\".\"penstock_positions_p_latest\"")
          .has_value());
  flow::ContractWriter heir(harness, spec);
  CHECK(heir.claim().term.value == old.term.value + 1);
  CHECK_FALSE(holder->run("COMMIT").has_value());
}

TEST_CASE("what a run that died has staged goes with the next claim") {
  RedshiftHarness harness(Way::copy);
  const flow::StoreSpec spec = flow::store_contract_spec(Merge::append);
  FolderStaging staging = test_staging();
  const std::string key = harness.folder() + "p/s/latest/in-0/7-1-0.avro";
  REQUIRE(staging.put(key, "half of a fil").has_value());
  flow::ContractWriter writer(harness, spec);
  writer.claim();
  CHECK(staging.list(harness.folder())->empty());
}

}  // namespace penstock::store::redshift
