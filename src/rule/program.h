// program.h — a rule: one CEL expression, checked against a record's schema and compiled for
// batches.
//
// CEL is the Common Expression Language (cel-spec). Top-level names are the record's fields;
// `record`, `key`, `topic`, `partition`, `offset`, `timestamp` are there too (a field of that name
// wins). Typed and fast where the schema says the type; dynamic where CEL is dynamic. A field that
// may be null has to be guarded (`x != null && x > 1`, `x == null ? 0 : x`) or the check refuses
// it.
//
// Thread      a Program is immutable after compile(); an Evaluation has scratch memory and
//             belongs to one worker.
// Lifetime    keeps the schema alive.
// Limits      text ≤ 32 KiB, nesting ≤ 64; the evaluation of one row takes at most a million
//             steps (value.h).
// Errors      R… with line and column inside the expression's text (1-based), which the reader of
//             the pipeline file shifts into the file.
//
//     PENSTOCK_TRY(program, rule::Program::compile("kwh * 4.0", schema));
//     for (const rule::Use& use : program.uses()) slots.push_back(shape.slot(use));
//     rule::Evaluation evaluation(program, slots);         // the columns that it reads
//     evaluation.filter(batch, batch.live, yes, failed);   // failed: rows that ended in an error
#pragma once

#include "avro/schema.h"
#include "base/error.h"
#include "row/batch.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::rule {

// What a rule reads of a row.
struct Use {
  enum class What : uint8_t { field, key, topic, partition, offset, timestamp } what;
  std::string field;  // What::field: the record's field
  bool operator==(const Use&) const = default;
};

// The columns in which the other names are given: key bytes (nullable), topic string, partition and
// offset int64, timestamp int64 in milliseconds.
row::Kind kind_of(Use::What what);

class Program {
 public:
  // `record` is a record schema. Fails with R… at a place whose line and column count inside
  // `text`.
  static Result<Program> compile(std::string_view text, avro::SchemaPtr record);

  const std::vector<Use>& uses() const;
  // The result as an Avro type, for `set`: bool→boolean, int→long, uint→long, double→double,
  // string→string, bytes→bytes, timestamp→timestamp-micros, list/map of those→array/map, nullable →
  // union with null; a field used as it is keeps its own type. Fails (R…) when no Avro type can
  // hold it (type, duration, dyn without a type).
  Result<avro::SchemaPtr> result_schema() const;
  // True when the result is bool (or dyn): what `drop` and `reject` need.
  bool is_condition() const;
  // The expression's type for people: "bool", "double", "null or int".
  std::string result_type() const;

  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  struct Impl;  // program_parts.h

 private:
  friend class Evaluation;
  explicit Program(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

// A row whose evaluation ended in an error.
struct FailedRow {
  uint32_t row;
  std::string text;  // "division by zero"
};

class Evaluation {
 public:
  // slots[i] is the column of program.uses()[i] in the batches to come. The program must outlive
  // this.
  Evaluation(const Program& program, std::vector<uint32_t> slots);
  ~Evaluation();
  Evaluation(Evaluation&&) noexcept;
  Evaluation& operator=(Evaluation&&) noexcept;

  // `rows` ascends, as Batch::live does.

  // Evaluates a condition: appends to `yes` the rows of `rows` for which it is true, in order;
  // failures to `failed`.
  void filter(const row::Batch& batch, std::span<const uint32_t> rows, std::vector<uint32_t>& yes,
              std::vector<FailedRow>& failed);
  // Evaluates into a new column shaped for result_schema() (avro::slot_shape; datum results as Avro
  // bytes in the batch's arena). Slots of rows not in `rows` hold anything. A field used as it is:
  // the column it has already. Texts may be views of the program's constants. Only for programs
  // that have a result_schema().
  row::Column compute(row::Batch& batch, std::span<const uint32_t> rows,
                      std::vector<FailedRow>& failed);
  // With false: from now on row by row, without kernels. The yardstick for tests and benchmarks.
  void use_kernels(bool on);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One evaluation for `penstock eval`: JSON lines as PIPELINE.md's "forms" has them, one line in,
// one line out.
std::string evaluate_case(std::string_view json_line);

}  // namespace penstock::rule
