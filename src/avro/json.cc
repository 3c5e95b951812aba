#include "avro/json.h"

#include "avro/bounds.h"
#include "avro/json_encoder.h"
#include "avro/json_text.h"
#include "avro/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::avro {
namespace {

Result<void> encode(const Node& type, const Json& json, JsonEncoder::Form form, std::string& out) {
  const size_t before = out.size();
  JsonEncoder encoder(form, kMaxResolvedBytes, out);
  if (encoder.encode(type, json)) return {};
  out.resize(before);
  return fail("A006"_code, encoder.why());
}

// A cell's text as the JSON value that means it.
Result<Json> cell(const Node& type, std::string_view text) {
  Json json;
  json.text = text;
  json.kind = Json::Kind::string;
  switch (type.type) {
    case Type::boolean:
      if (text != "true" && text != "false")
        return fail("A006"_code, fmt::format("\"{}\" is neither true nor false", text));
      json.kind = Json::Kind::boolean;
      json.boolean = text == "true";
      return json;
    case Type::int_:
    case Type::long_:
    case Type::float_:
    case Type::double_: {
      // "NaN" and a timestamp's text are strings in JSON too.
      auto number = read_json(text);
      if (number && number->kind == Json::Kind::number) return std::move(*number);
      return json;
    }
    case Type::record:
    case Type::array:
    case Type::map: {
      auto read = read_json(text);
      if (!read) return fail("A006"_code, std::move(read.error()));
      return std::move(*read);
    }
    default:
      return json;
  }
}

Result<void> union_cell(const Node& type, std::string_view text, std::string& out);

}  // namespace

Result<void> from_json(const Node& type, std::string_view text, JsonStyle style, std::string& out) {
  if (text.size() > kMaxJsonBytes)
    return fail("A006"_code,
                fmt::format("{} bytes of JSON; at most {} are read", text.size(), kMaxJsonBytes));
  const auto json = read_json(text);
  if (!json) return fail("A006"_code, json.error());
  return encode(type, *json,
                style == JsonStyle::avro ? JsonEncoder::Form::avro : JsonEncoder::Form::plain, out);
}

Result<void> from_text(const Node& type, std::string_view text, std::string& out) {
  if (text.size() > kMaxJsonBytes)
    return fail("A006"_code,
                fmt::format("a cell of {} bytes; at most {} are read", text.size(), kMaxJsonBytes));
  if (type.type == Type::union_) return union_cell(type, text, out);
  if (type.type == Type::null_) {
    if (text.empty()) return {};
    return fail("A006"_code, "text where only null can be");
  }
  PENSTOCK_TRY(json, cell(type, text));
  return encode(type, json, JsonEncoder::Form::plain, out);
}

namespace {

bool can_be_null(const Node& type) {
  return std::ranges::any_of(type.branches,
                             [](const Node* branch) { return branch->type == Type::null_; });
}

// Empty text is null where null is a branch; other text is the first branch that it fits.
Result<void> union_cell(const Node& type, std::string_view text, std::string& out) {
  Result<void> last = fail("A006"_code, "text where only null can be");
  for (size_t i = 0; i < type.branches.size(); ++i) {
    const Node& branch = *type.branches[i];
    if (branch.type == Type::null_ && !text.empty()) continue;
    if (branch.type != Type::null_ && text.empty() && can_be_null(type)) continue;
    const size_t before = out.size();
    append_long(static_cast<int64_t>(i), out);
    last = from_text(branch, text, out);
    if (last) return last;
    out.resize(before);
  }
  return last;
}

}  // namespace
}  // namespace penstock::avro
