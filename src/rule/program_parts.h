// program_parts.h — what a compiled program is made of, for Program and Evaluation only.
//
// Thread      immutable once compiled.
// Lifetime    the tree, types, patterns and plan live in and with the Impl.
//
//     const Program::Impl& parts = *program.impl_;      // inside Evaluation
#pragma once

#include "base/arena.h"
#include "base/check.h"
#include "rule/ast.h"
#include "rule/datum.h"
#include "rule/lanes.h"
#include "rule/program.h"

#include <memory>
#include <optional>
#include <vector>

namespace penstock::rule {

struct Program::Impl {
  Arena arena;
  Types types;
  std::string_view text;  // in the arena
  avro::SchemaPtr schema;
  std::vector<std::unique_ptr<Pattern>> patterns;
  std::vector<Use> uses;
  std::vector<Reading> readings;  // of the uses
  const Expr* root = nullptr;
  std::optional<Plan> plan;  // absent: row by row
  Result<avro::SchemaPtr> result_schema = nullptr;

  // A field of the record, just as it is.
  bool is_plain_field() const;
};

}  // namespace penstock::rule
