// shape.h — what a record is between two steps, and where its fields are.
//
// A Shape begins as a stage's input schema. Each step asks it for the slots (columns) that it reads
// and tells it the fields that it sets or unsets. What was asked for decides what the decoder
// projects; what stands at the end is the stage's result. `check` and `run` build steps through the
// same Shape, so they can not differ.
//
// Thread      one owner; used while a stage is built, not while it runs.
//
//     uint32_t slot = shape.slot("kwh");                       // the decoder will fill it
//     uint32_t made = shape.new_slot();
//     PENSTOCK_TRY_VOID(shape.set("kw", type, made));
#pragma once

#include "avro/plan.h"
#include "avro/schema.h"
#include "base/error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::flow {

// The columns that are no fields.
enum class Special : uint8_t { key, topic, partition, offset, timestamp };

class Shape {
 public:
  explicit Shape(avro::SchemaPtr input);

  struct Field {
    std::string name;
    avro::SchemaPtr owner;  // keeps `type` alive
    const avro::Node* type = nullptr;
    std::string default_json;
    std::optional<uint32_t> input;  // index in the input schema, while the field is the input's
    std::optional<uint32_t> slot;   // column that holds it, when a step set it
  };
  const std::vector<Field>& fields() const { return fields_; }
  const Field* field(std::string_view name) const;
  // The record as a schema: the input's own while nothing was changed. Cached.
  Result<avro::SchemaPtr> schema() const;
  const avro::SchemaPtr& input() const { return input_; }

  // The column of an existing field; projects it when it is the input's. The field must exist.
  uint32_t slot(std::string_view field);
  uint32_t special(Special special);
  uint32_t new_slot() { return projection_->slots++; }
  // Adds the field at the end or replaces it where it stands.
  void set(std::string_view name, avro::SchemaPtr owner, const avro::Node* type, uint32_t slot);
  // False when there is no such field.
  bool unset(std::string_view name);

  // ---- for the engine, when all steps are built
  uint32_t slot_count() const { return projection_->slots; }
  const std::vector<avro::Want>& wants() const { return projection_->wants; }
  std::optional<uint32_t> special_slot(Special special) const;
  // Origins that encode this shape into `output`, field by name. Fails (P…) with the name of a
  // field that is missing.
  Result<std::vector<avro::Origin>> origins(const avro::Schema& output) const;

 private:
  // What was asked for so far. Copies of a Shape (one is kept for each copy sent aside) share it,
  // for all of them stand on the same columns.
  struct Projection {
    uint32_t slots = 0;
    std::vector<avro::Want> wants;
    std::vector<std::optional<uint32_t>> by_input;  // column of each input field
    std::optional<uint32_t> specials[5];
  };
  avro::SchemaPtr input_;
  std::vector<Field> fields_;
  bool changed_ = false;
  std::shared_ptr<Projection> projection_;
  mutable avro::SchemaPtr schema_;
};

}  // namespace penstock::flow
