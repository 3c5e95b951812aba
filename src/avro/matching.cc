#include "avro/matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace penstock::avro {
namespace {

std::string_view unqualified(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

}  // namespace

bool named(const Node& type) {
  return type.type == Type::record || type.type == Type::enum_ || type.type == Type::fixed;
}

bool decimals_agree(const Node& writer, const Node& reader) {
  if (writer.logical != Logical::decimal || reader.logical != Logical::decimal) return true;
  return writer.precision == reader.precision && writer.scale == reader.scale;
}

bool promotes(Type from, Type to) {
  switch (from) {
    case Type::int_:
      return to == Type::long_ || to == Type::float_ || to == Type::double_;
    case Type::long_:
      return to == Type::float_ || to == Type::double_;
    case Type::float_:
      return to == Type::double_;
    case Type::string:
      return to == Type::bytes;
    case Type::bytes:
      return to == Type::string;
    default:
      return false;
  }
}

std::string mismatch(const Node& writer, const Node& reader) {
  return fmt::format("{} cannot be read as {}", describe(writer), describe(reader));
}

bool names_match(const Node& writer, const Node& reader) {
  if (unqualified(writer.name) == unqualified(reader.name)) return true;
  return std::any_of(reader.aliases.begin(), reader.aliases.end(), [&](const std::string& alias) {
    return alias == writer.name || alias == unqualified(writer.name);
  });
}

std::vector<uint32_t> match_fields(const Node& writer, const Node& reader) {
  std::vector<uint32_t> from(reader.fields.size(), kNoMatch);
  std::vector<bool> taken(writer.fields.size(), false);
  std::map<std::string_view, uint32_t> by_name;
  for (uint32_t at = 0; at < writer.fields.size(); ++at)
    by_name.emplace(writer.fields[at].name, at);
  for (size_t at = 0; at < from.size(); ++at) {
    const auto found = by_name.find(reader.fields[at].name);
    if (found == by_name.end()) continue;
    from[at] = found->second;
    taken[found->second] = true;
  }
  for (size_t at = 0; at < from.size(); ++at) {
    for (const std::string& alias : reader.fields[at].aliases) {
      const auto found = by_name.find(alias);
      if (from[at] != kNoMatch || found == by_name.end() || taken[found->second]) continue;
      from[at] = found->second;
      taken[found->second] = true;
    }
  }
  return from;
}

uint32_t branch_rank(const Node& writer, const Node& branch) {
  if (writer.type == branch.type) {
    if (!named(writer) || writer.name == branch.name) return 0;
    return names_match(writer, branch) ? 1 : kNoMatch;
  }
  return promotes(writer.type, branch.type) ? 2 : kNoMatch;
}

// What was assumed while going round a recursive type holds when the whole question is answered
// with yes.
bool Sameness::same(const Node& writer, const Node& reader) {
  assumed_.clear();
  if (!holds(writer, reader)) return false;
  known_.merge(assumed_);
  return true;
}

bool Sameness::holds(const Node& writer, const Node& reader) {
  if (&writer == &reader) return true;
  if (writer.type != reader.type || !decimals_agree(writer, reader)) return false;
  switch (writer.type) {
    case Type::record:
      return holds_record(writer, reader);
    case Type::enum_:
      return names_match(writer, reader) && writer.symbols == reader.symbols;
    case Type::fixed:
      return names_match(writer, reader) && writer.size_bytes == reader.size_bytes;
    case Type::array:
    case Type::map:
      return holds(*writer.items, *reader.items);
    case Type::union_:
      if (writer.branches.size() != reader.branches.size()) return false;
      for (size_t at = 0; at < writer.branches.size(); ++at) {
        if (branch_rank(*writer.branches[at], *reader.branches[at]) != 0) return false;
        if (!holds(*writer.branches[at], *reader.branches[at])) return false;
      }
      return true;
    default:
      return true;
  }
}

bool Sameness::holds_record(const Node& writer, const Node& reader) {
  const NodePair pair{&writer, &reader};
  if (known_.contains(pair) || !assumed_.insert(pair).second) return true;
  if (!names_match(writer, reader) || writer.fields.size() != reader.fields.size()) return false;
  const std::vector<uint32_t> from = match_fields(writer, reader);
  for (uint32_t at = 0; at < from.size(); ++at) {
    if (from[at] != at || !holds(*writer.fields[at].type, *reader.fields[at].type)) return false;
  }
  return true;
}

}  // namespace penstock::avro
