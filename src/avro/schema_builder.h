// schema_builder.h — the work of parse(): from a JSON tree to the nodes of a Schema.
//
// Thread      one owner, used once.
// Errors      A001–A004, each with the path of the offending part.
#pragma once

#include "avro/json_text.h"
#include "avro/schema.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::avro {

inline constexpr size_t kMaxSchemaBytes = 256 * 1024;
inline constexpr uint32_t kMaxSchemaParts = 2000;  // fields and symbols in all
inline constexpr uint32_t kMaxSchemaDepth = 64;
inline constexpr size_t kMaxDefaultBytes = 1 << 20;    // one field's default
inline constexpr size_t kMaxDefaultsBytes = 16 << 20;  // all of them

// letters, digits and _, not beginning with a digit
bool valid_name(std::string_view name);

class SchemaBuilder {
 public:
  SchemaBuilder() : schema_(std::make_shared<Schema>()) {}
  Result<SchemaPtr> build(const Json& json);

 private:
  class Path;
  struct Default {
    Node* record;
    size_t field;
    const Json* json;
    std::string path;
    enum class State : uint8_t { open, busy, done } state = State::open;
  };

  // These return false or nullptr after having set error_.
  const Node* type(const Json& json, std::string_view space, uint32_t depth);
  const Node* reference(std::string_view name, std::string_view space);
  const Node* union_of(const Json& json, std::string_view space, uint32_t depth);
  const Node* object(const Json& json, std::string_view space, uint32_t depth);
  const Node* items_of(Type type, const Json& json, std::string_view space, uint32_t depth);
  const Node* named(Type type, const Json& json, std::string_view space, uint32_t depth);
  bool fields(Node& record, const Json& json, std::string_view space, uint32_t depth);
  bool field(Node& record, const Json& json, std::string_view space, uint32_t depth);
  bool symbols(Node& node, const Json& json);
  bool size(Node& node, const Json& json);
  bool full_name(const Json& json, std::string_view space, std::string& name);
  bool aliases(const Json& json, std::string_view space, bool dotted,
               std::vector<std::string>& out);
  bool count_part();
  bool all_defaults();
  bool encode_default(Default& one);
  const Node* none(Code code, std::string message);
  bool no(Code code, std::string message) { return none(code, std::move(message)) != nullptr; }
  Node* make(Type type);

  std::shared_ptr<Schema> schema_;
  std::map<std::string, Node*, std::less<>> named_;
  std::map<std::pair<const Node*, size_t>, Default> defaults_;
  std::string path_;
  std::optional<Error> error_;
  uint32_t parts_ = 0;
  size_t default_bytes_ = 0;
};

// Sets node.logical, precision and scale where `json` names a logical type that fits; else leaves
// them.
void read_logical(Node& node, const Json& json);
std::string_view type_name(Type type);
std::string_view logical_name(Logical logical);
// Full names of an Avro primitive, or nullopt.
std::optional<Type> primitive_type(std::string_view name);

// Parsing Canonical Form.
std::string canonical_form(const Node& root);
// CRC-64-AVRO.
uint64_t crc64(std::string_view bytes);

}  // namespace penstock::avro
