// Any text as an Avro schema: what is taken is taken again from its own text and from its canonical
// form, as the same schema. Several, with zero bytes between, use one another's types.
#include "avro/library.h"
#include "avro/schema.h"

#include <algorithm>
#include <cstdlib>
#include <set>

using namespace penstock;  // NOLINT: a program of one page

namespace {

void check_same(const avro::Schema& schema, const std::string& text) {
  const auto again = avro::parse(text);
  if (!again || (*again)->fingerprint() != schema.fingerprint()) std::abort();
}

// Does a type without a namespace stand beside one with? Then Avro's canonical form, in which names
// are all that is left of namespaces, does not say which is which.
void collect(const avro::Node* type, std::set<const avro::Node*>& all) {
  if (type == nullptr || !all.insert(type).second) return;
  collect(type->items, all);
  for (const avro::Node* branch : type->branches) collect(branch, all);
  for (const avro::Field& field : type->fields) collect(field.type, all);
}

bool mixes_namespaces(const avro::Schema& schema) {
  std::set<const avro::Node*> all;
  collect(&schema.root(), all);
  bool with = false;
  bool without = false;
  for (const avro::Node* type : all) {
    if (!type->name.empty()) (type->name.contains('.') ? with : without) = true;
  }
  return with && without;
}

void check_library(std::string_view text) {
  avro::Library library;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\0'), text.size());
    if (!library.add("text", text.substr(0, end))) return;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  for (uint32_t at = 0; at < library.size(); ++at) {
    const auto whole = library.whole(at);
    if (!whole && render(whole.error()).empty()) std::abort();
    if (whole) (void)avro::parse(*whole);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find('\0') != std::string_view::npos) {
    check_library(text);
    return 0;
  }
  const auto schema = avro::parse(text);
  if (!schema) {
    if (render(schema.error()).empty()) std::abort();
    return 0;
  }
  check_same(**schema, (*schema)->json());
  if (!mixes_namespaces(**schema)) check_same(**schema, (*schema)->canonical());
  (void)avro::describe((*schema)->root());
  return 0;
}
