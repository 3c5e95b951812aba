// schema_store.h — the schemas of what lies in the folder, by fingerprint.
//
// All are parsed when the folder is opened and stay in memory.
//
// Thread      any.
// Errors      L001 a stored schema cannot be read; L005 writing failed; L009 read-only.
#pragma once

#include "flow/log.h"
#include "log/embedded/db.h"

#include <map>
#include <shared_mutex>
#include <vector>

namespace penstock::log {

class SchemaStore final : public flow::SchemaSource {
 public:
  SchemaStore(Db& db, bool read_only) : db_(db), read_only_(read_only) {}
  Result<void> load();
  Found find(uint64_t fingerprint) override;
  Result<void> add(const avro::SchemaPtr& schema) override;
  std::vector<avro::SchemaPtr> all() override;

 private:
  Db& db_;
  bool read_only_;
  std::shared_mutex mutex_;
  std::map<uint64_t, avro::SchemaPtr> schemas_;
};

}  // namespace penstock::log
