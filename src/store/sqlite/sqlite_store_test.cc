#include "store/sqlite/sqlite_store.h"

#include "flow/store_contract_cut.h"
#include "store/sqlite/cell.h"
#include "store/sqlite/database.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

namespace penstock::store {
namespace {

class SqliteHarness final : public flow::StoreHarness {
 public:
  SqliteHarness() {
    std::string name = (std::filesystem::temp_directory_path() / "penstock-store-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    reopen();
  }
  ~SqliteHarness() override {
    cutting_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  flow::Store& store() override { return *cutting_; }
  flow::Store& reader() override { return *store_; }
  void reopen() override {
    cutting_.reset();
    store_.reset();
    auto opened = SqliteStore::open(path());
    REQUIRE(opened.has_value());
    store_ = *std::move(opened);
    cutting_ = std::make_unique<flow::CutStore>(*store_);
  }
  bool arm(const flow::StoreCut& cut) override {
    cutting_->cut = cut;
    return true;
  }
  bool disarm() override { return !std::exchange(cutting_->cut, std::nullopt).has_value(); }
  bool set_away(bool away) override {
    cutting_->away = away;
    return true;
  }
  bool refuse_above(double value) override {
    auto database = Database::open(path(), {});
    REQUIRE(database.has_value());
    return database->run("CREATE TRIGGER bar BEFORE INSERT ON t WHEN NEW.v > " +
                         std::to_string(value) + " BEGIN SELECT RAISE(ABORT, 'too high'); END") ==
           Outcome::done;
  }
  std::string path() const { return folder_ + "/stores/latest.sqlite"; }

 private:
  std::string folder_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<flow::CutStore> cutting_;
};

void run(const SqliteHarness& harness, const char* sql, bool good = true) {
  auto database = Database::open(harness.path(), {});
  REQUIRE((database.has_value() && database->run(sql) == Outcome::done) == good);
}

std::string time_text(avro::Logical logical, int64_t value) {
  avro::Node node;
  node.type = avro::Type::long_;
  node.logical = logical;
  char text[kTimeTextBytes];
  return {text, write_time(cell_type(node), value, text)};
}

std::string decimal_text(std::string_view bytes, uint32_t scale) {
  std::string out;
  CHECK(append_decimal(bytes, scale, out));
  return out;
}

}  // namespace

TEST_CASE("store contract: sqlite") {
  for (const auto& contract : flow::store_contract()) {
    INFO(contract.name);
    SqliteHarness harness;
    contract.run(harness);
  }
}

TEST_CASE("times as texts: one form per unit, and only years that have four digits") {
  using avro::Logical;
  CHECK(time_text(Logical::timestamp_millis, 0) == "1970-01-01T00:00:00.000Z");
  CHECK(time_text(Logical::timestamp_millis, -1) == "1969-12-31T23:59:59.999Z");
  CHECK(time_text(Logical::timestamp_micros, 1'767'225'600'000'001) ==
        "2026-01-01T00:00:00.000001Z");
  CHECK(time_text(Logical::timestamp_nanos, 1) == "1970-01-01T00:00:00.000000001Z");
  CHECK(time_text(Logical::local_timestamp_millis, 951'782'400'000) == "2000-02-29T00:00:00.000");
  CHECK(time_text(Logical::date, -719'528) == "0000-01-01");
  CHECK(time_text(Logical::date, 2'932'896) == "9999-12-31");
  CHECK(time_text(Logical::date, 2'932'897).empty());
  CHECK(time_text(Logical::timestamp_millis, INT64_MAX).empty());
  CHECK(time_text(Logical::timestamp_millis, INT64_MIN).empty());
  CHECK(time_text(Logical::time_millis, 86'399'999) == "23:59:59.999");
  CHECK(time_text(Logical::time_millis, 86'400'000).empty());
}

TEST_CASE("decimals as texts") {
  using namespace std::string_view_literals;
  CHECK(decimal_text("\x04\xd2"sv, 2) == "12.34");
  CHECK(decimal_text("\xfb\x2e"sv, 2) == "-12.34");
  CHECK(decimal_text("\x05"sv, 2) == "0.05");
  CHECK(decimal_text("\x00"sv, 0) == "0");
  CHECK(decimal_text("\x80"sv, 0) == "-128");
  CHECK(decimal_text(""sv, 1) == "0.0");
}

TEST_CASE("a file that is no database is an error with a cure, not a start") {
  SqliteHarness harness;
  const std::string path = harness.path() + ".broken";
  std::ofstream(path) << std::string(8192, 'x');
  const auto opened = SqliteStore::open(path);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == "S005"_code);
  CHECK(exit_code(opened.error()) == 69);
  CHECK_FALSE(SqliteStore::open_read_only(path + ".none").has_value());
}

TEST_CASE("a file that another program holds is waited for") {
  SqliteHarness harness;
  const flow::StoreSpec spec = flow::store_contract_spec(flow::Merge::append);
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  auto other = Database::open(harness.path(), {});
  REQUIRE(other.has_value());
  REQUIRE(other->run("BEGIN IMMEDIATE") == Outcome::done);
  writer.write({0, 0}, 0, {{"a", 1, 1.5}});
  const flow::Ended held = writer.commit(owned, 0, 1);
  CHECK(held.end == flow::CommitEnd::retry);
  CHECK(held.error.code == "S006"_code);
  REQUIRE(other->run("ROLLBACK") == Outcome::done);
  CHECK(writer.commit(owned, 0, 1).end == flow::CommitEnd::done);
  CHECK(flow::contract_rows(harness, spec) == 1);
}

TEST_CASE("rows that a table's own constraint refuses are found in one pass") {
  SqliteHarness harness;
  const flow::StoreSpec spec = flow::store_contract_spec(flow::Merge::append);
  {
    auto database = Database::open(harness.path(), {});
    REQUIRE(database.has_value());
    REQUIRE(database->run("CREATE TABLE t (id TEXT, at INTEGER, v REAL CHECK (v < 2))") ==
            Outcome::done);
  }
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  writer.write({0, 0}, 0, {{"a", 1, 1.5}, {"b", 1, 2.5}, {"c", 1, 1.0}, {"d", 1, 9.0}});
  const flow::Ended ended = writer.commit(owned, 0, 4);
  REQUIRE(ended.end == flow::CommitEnd::rejected);
  REQUIRE(ended.rejected.size() == 2);
  CHECK(ended.rejected[1].row == flow::RowId{{0, 0}, {3}});
  CHECK(ended.rejected[0].reason == "store.constraint");
  REQUIRE(writer.commit(owned, 0, 4).end == flow::CommitEnd::done);
  CHECK(flow::contract_rows(harness, spec) == 2);
}

TEST_CASE("an added field becomes a nullable column; rows of before have none") {
  SqliteHarness harness;
  flow::StoreSpec spec = flow::store_contract_spec(flow::Merge::newest_by);
  run(harness, "CREATE TABLE t (id TEXT NOT NULL, v REAL, PRIMARY KEY (id))");
  run(harness, "INSERT INTO t VALUES ('a', 0.5), ('b', 0.5)");
  flow::ContractWriter writer(harness, spec);  // adds "at", the very column that decides
  const flow::Owned owned = writer.claim();
  writer.write({0, 0}, 0, {{"a", 7, 1.5}, {"c", 1, 2.5}});
  REQUIRE(writer.commit(owned, 0, 2).end == flow::CommitEnd::done);
  CHECK(flow::contract_has(harness, spec, {R"("id":"a")", R"("at":7)", R"("v":1.5)"}));
  CHECK(flow::contract_has(harness, spec, {R"("id":"b")", R"("at":null)", R"("v":0.5)"}));
  CHECK(flow::contract_rows(harness, spec) == 3);
}

TEST_CASE("tables that are others are errors with a cure; spelling of a type is not") {
  const auto made = [](const char* sql, flow::Merge merge) {
    SqliteHarness harness;
    run(harness, sql);
    return harness.store().create_missing(flow::store_contract_spec(merge).table);
  };
  const auto is_other = [&](const char* sql, flow::Merge merge, const char* piece) {
    const auto result = made(sql, merge);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == "S002"_code);
    CHECK(result.error().message.find(piece) != std::string::npos);
    CHECK(result.error().cure.find("RENAME TO \"t_old\"") != std::string::npos);
  };
  using flow::Merge;
  is_other("CREATE TABLE t (id TEXT PRIMARY KEY, at TEXT, v REAL)", Merge::upsert, "\"at\"");
  is_other("CREATE TABLE t (id TEXT, at INTEGER, v REAL)", Merge::upsert, "no key");
  is_other("CREATE TABLE t (id TEXT, at INTEGER PRIMARY KEY, v REAL)", Merge::upsert, "(\"at\")");
  is_other("CREATE TABLE t (id TEXT PRIMARY KEY, at INTEGER, v REAL)", Merge::append, "appends");
  CHECK(made("CREATE TABLE t (id varchar(20) PRIMARY KEY, at int, v double)", Merge::upsert));
  CHECK(made("CREATE TABLE t (row INTEGER PRIMARY KEY, id, at, v)", Merge::append));
}

TEST_CASE("a table that vanishes or a file that breaks ends the sink, it is not tried for ever") {
  SqliteHarness harness;
  const flow::StoreSpec spec = flow::store_contract_spec(flow::Merge::append);
  {
    flow::ContractWriter writer(harness, spec);
    const flow::Owned owned = writer.claim();
    run(harness, "DROP TABLE t");
    writer.write({0, 0}, 0, {{"a", 1, 1.5}});
    const flow::Ended ended = writer.commit(owned, 0, 1);
    CHECK(ended.end == flow::CommitEnd::fatal);
    CHECK(ended.error.code == "S002"_code);
  }
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  run(harness, "PRAGMA wal_checkpoint(TRUNCATE)");
  {
    std::fstream file(harness.path(), std::ios::in | std::ios::out | std::ios::binary);
    REQUIRE(file.good());
    file.seekp(0, std::ios::end);
    const auto size = static_cast<size_t>(file.tellp());
    file.seekp(0);
    file << std::string(size, 'x');
  }
  run(harness, "SELECT 1", /*good=*/false);
  writer.write({0, 0}, 0, {{"a", 1, 1.5}});
  const flow::Ended ended = writer.commit(owned, 0, 1);
  CHECK(ended.end == flow::CommitEnd::fatal);
  CHECK(ended.error.code == "S005"_code);
}

}  // namespace penstock::store
