// Rows upserted into PostgreSQL, 6 columns, epochs of 10,000: the store, and beside it, interleaved
// in the same run, a plain loop on libpq that does the same statements and nothing else.
//
//     tools/with_postgres build/release/bench/postgres_bench
//
// The last line is the share of the plain loop's rows per second, by the medians.
#include "store/postgres/postgres_store.h"
#include "store/postgres/row_encoder.h"
#include "store_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace penstock::store {
namespace {

constexpr uint32_t kRows = 10'000;
constexpr uint32_t kMeters = 10'000;
constexpr int kRounds = 12;

std::string fact(const char* name) {
  const char* value = std::getenv(name);
  PENSTOCK_CHECK(value != nullptr);
  return value;
}

double rows_per_second(const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return kRows / took.count();
}

// Our store, an epoch at a time.
class Store {
 public:
  explicit Store(const postgres::StoreSettings& settings)
      : store_(settings), spec_(spec_of(flow::Merge::upsert)) {
    spec_.table.table = "ours";
    PENSTOCK_CHECK(store_.create_missing(spec_.table).has_value());
    auto sink = store_.open_sink(spec_, bell_);
    PENSTOCK_CHECK(sink.has_value());
    sink_ = *std::move(sink);
    sink_->begin_claim({{0, 0}}, nullptr);
    owned_ = wait<flow::Claimed>(*sink_, bell_).owned.at(0);
  }
  void epoch(const flow::StoreRows& rows) {
    PENSTOCK_CHECK(sink_->write(rows) == flow::WriteAnswer::accepted);
    const Offset next{owned_.next.value + kRows};
    sink_->begin_commit({{{owned_.partition, owned_.term, owned_.next, next, {}}}, nullptr});
    PENSTOCK_CHECK(wait<flow::Ended>(*sink_, bell_).end == flow::CommitEnd::done);
    owned_.next = next;
  }

 private:
  postgres::PostgresStore store_;
  flow::StoreSpec spec_;
  Bell bell_;
  std::unique_ptr<flow::StoreSink> sink_;
  flow::Owned owned_;
};

// The loop that somebody would write by hand.
class Plain {
 public:
  explicit Plain(const std::string& parameters) : connection_(PQconnectdb(parameters.c_str())) {
    run("SET client_min_messages = warning; DROP TABLE IF EXISTS plain, plain_offset; CREATE TABLE "
        "plain (meter_id text, at timestamptz, kwh float8, kvarh float8, status text, tariff text, "
        "PRIMARY KEY (meter_id, at)); CREATE TABLE plain_offset (part int PRIMARY KEY, next int8); "
        "INSERT INTO plain_offset VALUES (0, 0); CREATE TEMP TABLE stage (LIKE plain) ON COMMIT "
        "DELETE ROWS");
  }
  ~Plain() { PQfinish(connection_); }
  void epoch(const flow::StoreRows& rows) {
    bytes_ = postgres::RowEncoder::header();
    for (uint32_t i = 0; i < rows.count; ++i) {
      postgres::append_int16(6, bytes_);
      text(rows.columns[0].views[i]);
      postgres::append_int32(8, bytes_);
      postgres::append_int64(rows.columns[1].int64s[i] * 1'000 - 946'684'800'000'000, bytes_);
      for (const int column : {2, 3}) {
        postgres::append_int32(8, bytes_);
        postgres::append_int64(rows.columns[column].int64s[i], bytes_);
      }
      for (const int column : {4, 5}) text(rows.columns[column].views[i]);
    }
    bytes_ += postgres::RowEncoder::trailer();
    next_ += rows.count;
    run("BEGIN");
    PQclear(PQexec(connection_, "COPY stage FROM STDIN (FORMAT binary)"));
    PENSTOCK_CHECK(PQputCopyData(connection_, bytes_.data(), static_cast<int>(bytes_.size())) == 1);
    PENSTOCK_CHECK(PQputCopyEnd(connection_, nullptr) == 1);
    while (PGresult* result = PQgetResult(connection_)) {
      PENSTOCK_CHECK(PQresultStatus(result) == PGRES_COMMAND_OK);
      PQclear(result);
    }
    run("INSERT INTO plain SELECT * FROM stage ON CONFLICT (meter_id, at) DO UPDATE SET kwh = "
        "EXCLUDED.kwh, kvarh = EXCLUDED.kvarh, status = EXCLUDED.status, tariff = EXCLUDED.tariff");
    run(fmt::format("UPDATE plain_offset SET next = {} WHERE part = 0", next_));
    run("COMMIT");
  }

 private:
  void text(ByteView value) {
    postgres::append_int32(static_cast<int32_t>(value.size()), bytes_);
    bytes_ += value;
  }
  void run(const std::string& sql) {
    PGresult* result = PQexec(connection_, sql.c_str());
    PENSTOCK_CHECK(PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
  }
  PGconn* connection_;
  std::string bytes_;
  int64_t next_ = 0;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int run() {
  const std::string host = fact("PENSTOCK_TEST_POSTGRES_DIR");
  const std::string port = fact("PENSTOCK_TEST_POSTGRES_PORT");
  postgres::StoreSettings settings;
  settings.connection.parameters = {
      {"host", host}, {"port", port}, {"user", "penstock"}, {"dbname", "penstock"}};
  settings.create = true;
  Store ours(settings);
  Plain plain(fmt::format("host={} port={} user=penstock dbname=penstock", host, port));
  Readings rows(kMeters, kRows);
  std::vector<double> of_ours, of_plain;
  for (int round = 0; round < kRounds; ++round) {
    const flow::StoreRows& epoch = rows.epoch(int64_t{round} * kRows);
    const auto one = [&](bool store) {
      (store ? of_ours : of_plain).push_back(rows_per_second([&] {
        if (store) {
          ours.epoch(epoch);
        } else {
          plain.epoch(epoch);
        }
      }));
    };
    one(round % 2 == 0);
    one(round % 2 != 0);
  }
  fmt::print("store        {:9.0f} rows/s\nplain libpq  {:9.0f} rows/s\nshare        {:9.2f}\n",
             median(of_ours), median(of_plain), median(of_ours) / median(of_plain));
  return 0;
}

}  // namespace
}  // namespace penstock::store

int main() { return penstock::store::run(); }
