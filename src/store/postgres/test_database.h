// test_database.h — a schema of its own in the server of tools/with_postgres, straight and through
// a FaultProxy; the store contract's harness.
//
// Thread      one.
#pragma once

#include "flow/store_contract.h"
#include "store/libpq/fault_proxy.h"
#include "store/postgres/postgres_store.h"

#include <cstdlib>
#include <memory>
#include <string>

namespace penstock::store::postgres {

inline std::string test_fact(const char* name) {
  const char* value = std::getenv((std::string("PENSTOCK_TEST_POSTGRES_") + name).c_str());
  REQUIRE_MESSAGE(value != nullptr, "run under tools/with_postgres");
  return value;
}

inline StoreSettings test_settings(int port, const std::string& schema) {
  StoreSettings settings;
  settings.connection.parameters = {{"host", "127.0.0.1"},      {"port", std::to_string(port)},
                                    {"user", "penstock"},       {"password", "penstock"},
                                    {"dbname", "penstock"},     {"sslmode", "disable"},
                                    {"client_encoding", "UTF8"}};
  settings.connection.where = "penstock on 127.0.0.1";
  settings.schema = schema;
  settings.create = true;
  return settings;
}

class PostgresHarness : public flow::StoreHarness {
 public:
  explicit PostgresHarness(int64_t answer_millis = kAnswerMillis)
      : answer_millis_(answer_millis),
        server_port_(std::atoi(test_fact("PORT").c_str())),
        proxy_(server_port_),
        schema_("s" + std::to_string(getpid()) + "_" + std::to_string(number_++)) {
    run("CREATE SCHEMA " + schema_);
    reader_ = std::make_unique<PostgresStore>(test_settings(server_port_, schema_));
    reopen();
  }
  ~PostgresHarness() override {
    store_.reset();
    run("DROP SCHEMA " + schema_ + " CASCADE");
  }
  flow::Store& store() override { return *store_; }
  flow::Store& reader() override { return *reader_; }
  void reopen() override {
    StoreSettings settings = test_settings(proxy_.port(), schema_);
    settings.connection.answer_millis = answer_millis_;
    store_ = std::make_unique<PostgresStore>(std::move(settings));
  }
  bool arm(const flow::StoreCut& cut) override {
    proxy_.arm(cut);
    return true;
  }
  bool disarm() override { return proxy_.disarm(); }
  bool set_away(bool away) override {
    proxy_.set_away(away);
    return true;
  }
  bool refuse_above(double value) override {
    run("ALTER TABLE " + schema_ + ".t ADD CHECK (v <= " + std::to_string(value) + ")");
    return true;
  }
  std::optional<uint64_t> transactions() override { return proxy_.transactions(); }

  // On a connection that no fault touches.
  Rows run(const std::string& sql) {
    auto db = open_database(test_settings(server_port_, "public"), nullptr);
    REQUIRE_MESSAGE(db.has_value(), (db ? "" : db.error().message));
    auto answers = db->run(sql);
    REQUIRE_MESSAGE(answers.has_value(), (answers ? "" : answers.error().message));
    return answers->back();
  }
  const std::string& schema() const { return schema_; }
  FaultProxy& proxy() { return proxy_; }
  int server_port() const { return server_port_; }

 private:
  static inline int number_ = 0;
  int64_t answer_millis_;
  int server_port_;
  FaultProxy proxy_;
  std::string schema_;
  std::unique_ptr<PostgresStore> reader_, store_;
};

}  // namespace penstock::store::postgres
