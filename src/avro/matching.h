// matching.h — what the specification calls a match: which types, names, fields and branches of a
// writer's schema those of a reader's take.
//
// Thread      free functions; a Sameness has one owner.
// Lifetime    the nodes outlive a Sameness.
//
//     const std::vector<uint32_t> from = match_fields(writer, reader);
#pragma once

#include "avro/schema.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace penstock::avro {

using NodePair = std::pair<const Node*, const Node*>;  // writer, reader

inline constexpr uint32_t kNoMatch = UINT32_MAX;  // in program.h: kNoSymbol

// A record, an enum or a fixed.
bool named(const Node& type);
// Two decimals of one type that differ in precision or scale are different types.
bool decimals_agree(const Node& writer, const Node& reader);
bool promotes(Type from, Type to);
// "string cannot be read as double"
std::string mismatch(const Node& writer, const Node& reader);

// Are all of the writer's bytes the reader's bytes too, with equal meaning?
class Sameness {
 public:
  bool same(const Node& writer, const Node& reader);

 private:
  bool holds(const Node& writer, const Node& reader);
  bool holds_record(const Node& writer, const Node& reader);
  std::set<NodePair> known_;
  std::set<NodePair> assumed_;
};

// The specification's "same (unqualified) name", or one of the reader's aliases.
bool names_match(const Node& writer, const Node& reader);
// Which of the writer's fields each of the reader's fields takes its value from; kNoMatch: none.
std::vector<uint32_t> match_fields(const Node& writer, const Node& reader);

// How well the branch of a reader's union suits a writer's type: 0 the very type, 1 the same type
// by another name, 2 by promotion, kNoMatch not at all. The best that resolves is taken; the first
// among equals.
uint32_t branch_rank(const Node& writer, const Node& branch);

}  // namespace penstock::avro
