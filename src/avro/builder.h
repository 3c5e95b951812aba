// builder.h — turning schemas into programs (program.h).
//
// A record met for the first time is laid out in line; met again (recursion, or just a second use)
// it becomes a program of its own that is called. So a program is never larger than its schemas,
// however they refer to themselves.
//
// Thread      one owner, while compiling.
// Lifetime    the nodes must outlive the finished Program where it has `symbols`.
// Errors      resolve() says why in one sentence: `field "kwh": a string cannot be read as a
// double`.
#pragma once

#include "avro/matching.h"
#include "avro/program.h"
#include "avro/schema.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace penstock::avro {

// The fewest bytes that a value can have.
class Sizes {
 public:
  uint32_t least_bytes(const Node& type);
  // Only nulls and records of nulls: nothing to read, nothing to check.
  bool is_void(const Node& type);

 private:
  std::map<const Node*, uint32_t> least_;
  std::map<const Node*, bool> void_;
};

class Builder {
 public:
  // Operations that validate a value and pass over it.
  void walk(const Node& type);
  // Operations that append the value's form under `reader`. False: no datum could ever resolve;
  // `why` says so, and nothing was built.
  bool resolve(const Node& writer, const Node& reader, std::string* why);
  bool same(const Node& writer, const Node& reader) { return sameness_.same(writer, reader); }
  void add(Op op);
  // Here somebody jumps to: what follows must not melt into what came before.
  uint32_t label();
  uint32_t next() const { return static_cast<uint32_t>(program_.ops.size()); }
  Op& op(uint32_t pc) { return program_.ops[pc]; }
  // Views of `type`'s symbols for load_enum; returns where they begin.
  uint32_t add_symbols(const Node& type);
  // Which field the operations built from now on work for.
  void set_field(uint16_t field) { field_ = field; }

  // Ends the program, builds the ones that are called, and hands it over.
  Program finish();

 private:
  struct Savepoint;
  Savepoint save() const;
  void restore(const Savepoint& savepoint);

  void walk_fields(const Node& record);
  void walk_union(const Node& type);
  void walk_items(const Node& type);
  // True when the pair was met before, and a call was built; else it counts as met from now on.
  bool called_before(NodePair pair);

  bool emit(const Node& writer, const Node& reader, std::string* why);
  bool convert(const Node& writer, const Node& reader, std::string* why);
  bool promote(const Node& writer, const Node& reader, std::string* why);
  bool resolve_record(const Node& writer, const Node& reader, std::string* why);
  bool fields_in_order(const Node& writer, const Node& reader, const std::vector<uint32_t>& from,
                       std::string* why);
  bool fields_reordered(const Node& writer, const Node& reader, const std::vector<uint32_t>& from,
                        std::string* why);
  bool field(const Node& writer, const Field& reader, uint32_t from, std::string* why);
  bool resolve_enum(const Node& writer, const Node& reader, std::string* why);
  bool resolve_items(const Node& writer, const Node& reader, std::string* why);
  bool writer_union(const Node& writer, const Node& reader, std::string* why);
  bool reader_union(const Node& writer, const Node& reader, std::string* why);
  void copy(const Node& writer);
  void literal(std::string_view bytes);
  uint32_t text(std::string sentence);

  Program program_;
  Sizes sizes_;
  Sameness sameness_;
  uint32_t label_ = 0;
  uint16_t field_ = kNoField;
  uint32_t record_depth_ = 0;
  std::set<NodePair> met_;           // a null reader means walk
  std::vector<NodePair> met_order_;  // so that restore() can forget
  std::vector<NodePair> called_;     // programs of their own, built by finish()
  std::map<NodePair, uint32_t> called_number_;
  std::map<NodePair, std::string> hopeless_;  // pairs that do not resolve, and why
};

}  // namespace penstock::avro
