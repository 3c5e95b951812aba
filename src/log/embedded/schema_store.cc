#include "log/embedded/schema_store.h"

#include "log/embedded/records.h"

#include <fmt/format.h>

#include <mutex>

namespace penstock::log {

Result<void> SchemaStore::load() {
  auto cursor = db_.cursor(Family::schemas);
  for (cursor->seek(""); cursor->valid(); cursor->next()) {
    auto schema = avro::parse(cursor->value());
    uint64_t fingerprint = 0;
    if (!schema || !parse_number(cursor->key(), fingerprint)) {
      return fail("L001"_code, "the data folder is damaged: a schema cannot be read");
    }
    schemas_[fingerprint] = std::move(*schema);
  }
  return cursor->status();
}

flow::SchemaSource::Found SchemaStore::find(uint64_t fingerprint) {
  const std::shared_lock lock(mutex_);
  const auto it = schemas_.find(fingerprint);
  return {it == schemas_.end() ? nullptr : it->second, true};
}

Result<void> SchemaStore::add(const avro::SchemaPtr& schema) {
  const uint64_t fingerprint = schema->fingerprint();
  const std::unique_lock lock(mutex_);
  if (schemas_.contains(fingerprint)) return {};
  if (read_only_) return fail("L009"_code, "a schema cannot be added");
  DbBatch batch;
  batch.put(Family::schemas, number_bytes(fingerprint), schema->json());
  PENSTOCK_TRY_VOID(db_.write(batch, true));
  schemas_[fingerprint] = schema;
  return {};
}

std::vector<avro::SchemaPtr> SchemaStore::all() {
  const std::shared_lock lock(mutex_);
  std::vector<avro::SchemaPtr> schemas;
  for (const auto& entry : schemas_) schemas.push_back(entry.second);
  return schemas;
}

}  // namespace penstock::log
