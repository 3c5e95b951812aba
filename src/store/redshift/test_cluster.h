// test_cluster.h — a schema of its own in the double of tools/with_redshift, straight and through a
// FaultProxy; the store contract's harness.
//
// Thread      one.
#pragma once

#include "base/clock.h"
#include "flow/store_contract.h"
#include "store/libpq/fault_proxy.h"
#include "store/redshift/data_database.h"
#include "store/redshift/folder_staging.h"
#include "store/redshift/pq_database.h"
#include "store/redshift/redshift_store.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace penstock::store::redshift {

inline std::string test_fact(const char* name) {
  const char* value = std::getenv((std::string("PENSTOCK_TEST_REDSHIFT_") + name).c_str());
  REQUIRE_MESSAGE(value != nullptr, "run under tools/with_redshift");
  return value;
}

inline FolderStaging test_staging(const std::string& prefix = {}) {
  return FolderStaging(std::filesystem::path(test_fact("S3")), prefix);
}

inline ConnectionSettings test_connection(int port) {
  return {{{"host", "127.0.0.1"},
           {"port", std::to_string(port)},
           {"user", "penstock"},
           {"password", "penstock"},
           {"dbname", "penstock"},
           {"sslmode", "disable"},
           {"client_encoding", "UTF8"}},
          "penstock on 127.0.0.1"};
}

inline StoreSettings test_settings(int port, const std::string& schema) {
  StoreSettings settings;
  settings.database = [port] {
    return std::make_unique<PqDatabase>(test_connection(port), nullptr);
  };
  settings.where = "penstock on 127.0.0.1";
  settings.schema = schema;
  settings.create = true;
  settings.load.role = "arn:aws:iam::1:role/copy";
  settings.patience_millis = 300;
  settings.staging = [schema] {
    return std::make_unique<FolderStaging>(test_staging(schema + "/"));
  };
  return settings;
}

// The Data API's double, asked as by a machine whose environment names it.
inline std::unique_ptr<Database> test_data_api() {
  static const SystemClock clock;
  setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", test_fact("DATA").c_str(), 1);
  setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE0", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "xxxxxxxxxxxxxxxx", 1);
  static const auto access = [] {
    auto opened = AwsAccess::open(clock);
    REQUIRE(opened.has_value());
    return *std::move(opened);
  }();
  return std::make_unique<DataDatabase>(
      aws::RedshiftAccess{{false, "main", "eu-north-1"}, "penstock", "loader"},
      [] { return Result<std::shared_ptr<AwsAccess>>(access); }, 60'000,
      aws::RetryOptions{1, 2, 8, 4, 2});
}

enum class Way : uint8_t { insert, copy, data, data_insert };

class RedshiftHarness : public flow::StoreHarness {
 public:
  explicit RedshiftHarness(Way way)
      : way_(way),
        server_port_(std::atoi(test_fact("PORT").c_str())),
        proxy_(server_port_),
        schema_("s" + std::to_string(getpid()) + "_" + std::to_string(number_++)) {
    run("CREATE SCHEMA \"" + schema_ + "\"");
    const char* planted = std::getenv("PENSTOCK_TEST_REDSHIFT_PLANTED");
    command(R"({"refuse": null, "cut": null, "raise_1023": 0, "planted": )" +
            (planted == nullptr ? "null" : "\"" + std::string(planted) + "\"") + "}");
    reader_ = std::make_unique<RedshiftStore>(test_settings(server_port_, schema_));
    reopen();
  }
  ~RedshiftHarness() override {
    store_.reset();
    run("DROP SCHEMA \"" + schema_ + "\" CASCADE");
  }
  flow::Store& store() override { return *store_; }
  flow::Store& reader() override { return *reader_; }
  void reopen() override { store_ = std::make_unique<RedshiftStore>(settings()); }
  StoreSettings settings() const {
    StoreSettings settings = test_settings(proxy_.port(), schema_);
    if (way_ == Way::copy || way_ == Way::data) settings.load.insert_rows_max = 0;
    if (!is_data()) return settings;
    settings.database = test_data_api;
    settings.load.insert_bytes_max = kDataInsertBytes;
    settings.load.inserts_max = 1;
    return settings;
  }
  bool arm(const flow::StoreCut& cut) override {
    proxy_.arm(is_data() ? flow::StoreCut{~0U, false} : cut);
    if (is_data())
      command("{\"data_cut\": [" + std::to_string(cut.after) +
              (cut.applied ? ", true" : ", false") + "]}");
    return true;
  }
  bool disarm() override {
    const bool cut = proxy_.disarm();
    if (!is_data()) return cut;
    return command(R"({"data_cut": null})").find("\"data_cut_left\": false") != std::string::npos;
  }
  bool set_away(bool away) override {
    proxy_.set_away(away);
    if (way_ == Way::data) command(away ? R"({"data_away": true})" : R"({"data_away": false})");
    return true;
  }
  bool refuse_above(double value) override {
    command("{\"refuse\": [\"c2\", " + std::to_string(value) + "]}");
    return true;
  }
  std::optional<uint64_t> transactions() override {
    if (is_data()) return {};
    return proxy_.transactions();
  }
  uint32_t many() const override { return 2'000; }

  // On a connection that no fault touches.
  Rows run(const std::string& sql) {
    auto db = Connection::open(test_connection(server_port_), nullptr);
    REQUIRE_MESSAGE(db.has_value(), (db ? "" : db.error().message));
    auto answers = db->run(sql);
    REQUIRE_MESSAGE(answers.has_value(), (answers ? "" : answers.error().message));
    return answers->back();
  }
  // To the double itself; what it counted.
  std::string command(const std::string& json) { return run("--double " + json).text(0, 0); }
  const std::string& schema() const { return schema_; }
  std::string folder() const { return schema_ + "/"; }
  FaultProxy& proxy() { return proxy_; }
  int server_port() const { return server_port_; }

  bool is_data() const { return way_ == Way::data || way_ == Way::data_insert; }

 private:
  static inline int number_ = 0;
  Way way_;
  int server_port_;
  FaultProxy proxy_;
  std::string schema_;
  std::unique_ptr<RedshiftStore> reader_, store_;
};

}  // namespace penstock::store::redshift
