// The specification's schema resolution, as operations.
#include "avro/builder.h"
#include "avro/write.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::avro {
namespace {

// What match_fields() says goes into a program as it is.
static_assert(kNoMatch == kNoSymbol);

bool refuse(std::string* why, std::string text) {
  *why = std::move(text);
  return false;
}

}  // namespace

struct Builder::Savepoint {
  size_t ops, targets, literals, texts, met;
  uint16_t field;
  uint32_t record_depth;
};

Builder::Savepoint Builder::save() const {
  return {program_.ops.size(),   program_.targets.size(), program_.literals.size(),
          program_.texts.size(), met_order_.size(),       field_,
          record_depth_};
}

void Builder::restore(const Savepoint& to) {
  program_.ops.resize(to.ops);
  program_.fields.resize(to.ops);
  program_.targets.resize(to.targets);
  program_.literals.resize(to.literals);
  program_.texts.resize(to.texts);
  for (; met_order_.size() > to.met; met_order_.pop_back()) met_.erase(met_order_.back());
  field_ = to.field;
  record_depth_ = to.record_depth;
  label();
}

uint32_t Builder::text(std::string sentence) {
  program_.texts.push_back(std::move(sentence));
  return static_cast<uint32_t>(program_.texts.size() - 1);
}

void Builder::literal(std::string_view bytes) {
  if (bytes.empty()) return;
  const auto at = static_cast<uint32_t>(program_.literals.size());
  program_.literals.append(bytes);
  const auto size = static_cast<uint32_t>(bytes.size());
  if (next() > label_ && program_.ops.back().what == Do::literal &&
      program_.ops.back().a + program_.ops.back().b == at) {
    program_.ops.back().b += size;
    return;
  }
  add({.what = Do::literal, .a = at, .b = size});
}

// Neighbours that are both taken over byte for byte become one run.
void Builder::copy(const Node& writer) {
  const bool goes_on = next() > label_ && program_.ops.back().what == Do::copy;
  if (sizes_.is_void(writer)) return;
  if (goes_on) {
    program_.ops.pop_back();
    program_.fields.pop_back();
  } else {
    add({.what = Do::mark});
  }
  walk(writer);
  add({.what = Do::copy});
}

bool Builder::resolve(const Node& writer, const Node& reader, std::string* why) {
  return emit(writer, reader, why);
}

bool Builder::emit(const Node& writer, const Node& reader, std::string* why) {
  if (sameness_.same(writer, reader)) {
    copy(writer);
    return true;
  }
  const NodePair pair{&writer, &reader};
  if (const auto known = hopeless_.find(pair); known != hopeless_.end())
    return refuse(why, known->second);
  label();  // nothing melts into what restore() must find again
  const Savepoint before = save();
  if (convert(writer, reader, why)) return true;
  restore(before);
  hopeless_.emplace(pair, *why);
  return false;
}

bool Builder::convert(const Node& writer, const Node& reader, std::string* why) {
  if (writer.type == Type::union_) return writer_union(writer, reader, why);
  if (reader.type == Type::union_) return reader_union(writer, reader, why);
  if (writer.type != reader.type) return promote(writer, reader, why);
  if (named(writer) && !names_match(writer, reader)) return refuse(why, mismatch(writer, reader));
  switch (writer.type) {
    case Type::record:
      return called_before({&writer, &reader}) || resolve_record(writer, reader, why);
    case Type::enum_:
      return resolve_enum(writer, reader, why);
    case Type::array:
    case Type::map:
      return resolve_items(writer, reader, why);
    default:  // a fixed of another size, a decimal of another precision
      return refuse(why, mismatch(writer, reader));
  }
}

bool Builder::promote(const Node& writer, const Node& reader, std::string* why) {
  static const Node text_node = [] {
    Node node;
    node.type = Type::string;
    return node;
  }();
  if (!promotes(writer.type, reader.type)) return refuse(why, mismatch(writer, reader));
  const bool to_double = reader.type == Type::double_;
  if (reader.type == Type::string) {
    copy(text_node);  // bytes: they must be UTF-8
  } else if (reader.type == Type::bytes || reader.type == Type::long_) {
    copy(writer);
  } else if (writer.type == Type::int_) {
    add({.what = to_double ? Do::int_to_double : Do::int_to_float});
  } else if (writer.type == Type::long_) {
    add({.what = to_double ? Do::long_to_double : Do::long_to_float});
  } else {
    add({.what = Do::float_to_double});
  }
  return true;
}

bool Builder::resolve_record(const Node& writer, const Node& reader, std::string* why) {
  const std::vector<uint32_t> from = match_fields(writer, reader);
  bool ascending = true;
  uint32_t least = 0;
  for (const uint32_t source : from) {
    if (source == kNoSymbol) continue;
    ascending = ascending && source >= least;
    least = source + 1;
  }
  ++record_depth_;
  const bool done = ascending ? fields_in_order(writer, reader, from, why)
                              : fields_reordered(writer, reader, from, why);
  --record_depth_;
  return done;
}

bool Builder::fields_in_order(const Node& writer, const Node& reader,
                              const std::vector<uint32_t>& from, std::string* why) {
  uint32_t at = 0;
  for (uint32_t target = 0; target < reader.fields.size(); ++target) {
    if (record_depth_ == 1) field_ = kNoField;
    if (from[target] != kNoSymbol) {
      for (; at < from[target]; ++at) walk(*writer.fields[at].type);
      ++at;
    }
    if (record_depth_ == 1) field_ = static_cast<uint16_t>(target);
    if (!field(writer, reader.fields[target], from[target], why)) return false;
  }
  if (record_depth_ == 1) field_ = kNoField;
  for (; at < writer.fields.size(); ++at) walk(*writer.fields[at].type);
  return true;
}

bool Builder::fields_reordered(const Node& writer, const Node& reader,
                               const std::vector<uint32_t>& from, std::string* why) {
  const auto table = static_cast<uint32_t>(program_.targets.size());
  program_.targets.resize(table + 2 + writer.fields.size() + 2 * from.size());
  const uint32_t start = next();
  add({.what = Do::reorder, .a = table});
  uint32_t entry = table;
  program_.targets[entry++] = static_cast<uint32_t>(writer.fields.size());
  for (const Field& each : writer.fields) {
    program_.targets[entry++] = label();
    walk(*each.type);
    add({.what = Do::leave});
  }
  program_.targets[entry++] = static_cast<uint32_t>(from.size());
  for (uint32_t target = 0; target < from.size(); ++target) {
    if (record_depth_ == 1) field_ = static_cast<uint16_t>(target);
    program_.targets[entry++] = from[target];
    program_.targets[entry++] = label();
    if (!field(writer, reader.fields[target], from[target], why)) return false;
    add({.what = Do::leave});
  }
  if (record_depth_ == 1) field_ = kNoField;
  op(start).b = label();
  return true;
}

bool Builder::field(const Node& writer, const Field& reader, uint32_t from, std::string* why) {
  if (from != kNoSymbol) {
    if (emit(*writer.fields[from].type, *reader.type, why)) return true;
    return refuse(why, fmt::format("field \"{}\": {}", reader.name, *why));
  }
  if (!reader.has_default)
    return refuse(why, fmt::format("field \"{}\" is not in the writer's schema and has no default",
                                   reader.name));
  literal(reader.default_datum);
  return true;
}

bool Builder::resolve_enum(const Node& writer, const Node& reader, std::string* why) {
  const auto table = static_cast<uint32_t>(program_.targets.size());
  bool any = false;
  for (const std::string& symbol : writer.symbols) {
    const auto found = std::find(reader.symbols.begin(), reader.symbols.end(), symbol);
    uint32_t target = reader.has_enum_default ? reader.enum_default : kNoSymbol;
    if (found != reader.symbols.end())
      target = static_cast<uint32_t>(found - reader.symbols.begin());
    any = any || target != kNoSymbol;
    program_.targets.push_back(target);
  }
  if (!any) return refuse(why, mismatch(writer, reader) + ": they have no symbol in common");
  const uint32_t number = text(fmt::format(
      "a symbol that the reader's enum \"{}\" does not have, nor a default for it", reader.name));
  add({.what = Do::enum_map,
       .slot = static_cast<uint16_t>(std::min<uint32_t>(number, UINT16_MAX)),
       .a = static_cast<uint32_t>(writer.symbols.size()),
       .b = table});
  return true;
}

bool Builder::resolve_items(const Node& writer, const Node& reader, std::string* why) {
  const bool map = writer.type == Type::map;
  const uint32_t start = next();
  add({.what = map ? Do::copy_map : Do::copy_array,
       .b = sizes_.least_bytes(*writer.items) + (map ? 1u : 0u)});
  label();
  if (!emit(*writer.items, *reader.items, why)) {
    // A union's branches are a matter of the datum, and an empty array has none.
    if (writer.items->type != Type::union_) return false;
    add({.what = Do::refuse, .a = text(*why)});
  }
  add({.what = Do::leave});
  op(start).a = label();
  return true;
}

bool Builder::writer_union(const Node& writer, const Node& reader, std::string* why) {
  const auto count = static_cast<uint32_t>(writer.branches.size());
  const auto table = static_cast<uint32_t>(program_.targets.size());
  program_.targets.resize(table + count);
  add({.what = Do::union_, .a = count, .b = table});
  std::vector<uint32_t> jumps;
  bool any = false;
  for (uint32_t branch = 0; branch < count; ++branch) {
    program_.targets[table + branch] = label();
    std::string reason;
    const bool fits = emit(*writer.branches[branch], reader, &reason);
    any = any || fits;
    if (!fits) {
      if (why->empty()) *why = reason;
      add({.what = Do::refuse, .a = text(std::move(reason))});
    }
    if (branch + 1 == count) break;
    jumps.push_back(next());
    add({.what = Do::jump});
  }
  const uint32_t end = label();
  for (const uint32_t jump : jumps) op(jump).a = end;
  return any || refuse(why, mismatch(writer, reader));
}

bool Builder::reader_union(const Node& writer, const Node& reader, std::string* why) {
  label();
  const Savepoint before = save();
  std::string first_reason;
  for (uint32_t rank = 0; rank <= 2; ++rank) {
    for (uint32_t branch = 0; branch < reader.branches.size(); ++branch) {
      if (branch_rank(writer, *reader.branches[branch]) != rank) continue;
      std::string index;
      append_long(branch, index);
      literal(index);
      std::string reason;
      if (emit(writer, *reader.branches[branch], &reason)) return true;
      restore(before);
      if (first_reason.empty()) first_reason = std::move(reason);
    }
  }
  if (!first_reason.empty()) return refuse(why, first_reason);
  return refuse(why, mismatch(writer, reader));
}

}  // namespace penstock::avro
