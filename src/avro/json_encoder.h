// json_encoder.h — JSON trees to Avro bytes: the work of from_json() and of fields' defaults.
//
// Thread      one owner, for one value.
// Limits      appends at most `max_bytes`; arrays, maps and records nest ≤ 64; trying union
// branches is bounded too.
// Errors      encode() returns false; why() says what does not fit, and
// where ("…, at /tags/3").
#pragma once

#include "avro/json_text.h"
#include "avro/schema.h"
#include "avro/value_path.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace penstock::avro {

class JsonEncoder {
 public:
  enum class Form : uint8_t {
    avro,     // unions tagged
    plain,    // unions by their value, logical types as people write them
    initial,  // a default in a schema: unions by their value, logical types as their base
  };
  JsonEncoder(Form form, size_t max_bytes, std::string& out)
      : form_(form), out_(out), first_(out.size()), max_bytes_(max_bytes) {}

  // Is called before the default of a missing field is used; false: it has none that can be.
  using DefaultHook = std::function<bool(const Node& record, size_t field)>;
  void before_default(DefaultHook hook) { hook_ = std::move(hook); }

  bool encode(const Node& type, const Json& json) { return value(type, json); }
  const std::string& why() const { return why_; }

 private:
  bool value(const Node& type, const Json& json);
  bool scalar(const Node& type, const Json& json);
  bool logical(const Node& type, const Json& json);
  bool whole(const Node& type, const Json& json);
  bool real(const Node& type, const Json& json);
  bool octets(const Node& type, const Json& json);
  bool symbol(const Node& type, const Json& json);
  bool record(const Node& type, const Json& json);
  bool field(const Node& type, size_t index, const Json& json);
  bool items(const Node& type, const Json& json);
  bool tagged(const Node& type, const Json& json);
  bool by_value(const Node& type, const Json& json);
  bool branch(const Node& type, size_t index, const Json& json);
  bool blob(const Node& type, std::string_view bytes);
  bool mismatch(const Node& type, const Json& json);
  bool stop(std::string message);

  const Form form_;
  std::string& out_;
  const size_t first_;
  const size_t max_bytes_;
  DefaultHook hook_;
  std::string why_;
  ValuePath path_;
  uint32_t depth_ = 0;
  // Trying union branches in vain may cost no more than reading the largest text does.
  uint64_t steps_left_ = 20'000'000;
};

// The name that tags a union's branch in Avro's JSON encoding.
std::string_view branch_tag(const Node& branch);
// A number's text as double or float; false when it is none, or too large.
bool parse_real(std::string_view text, double& value);
bool parse_real(std::string_view text, float& value);

}  // namespace penstock::avro
