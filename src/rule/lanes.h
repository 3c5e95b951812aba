// lanes.h — an expression over many rows at once: a flat list of kernels over columns.
//
// A plan is made once per program. It runs over chunks of kLanes rows; each instruction fills one
// register, an array of values for the rows of the chunk, from earlier registers, columns or
// constants. What has no kernel (lists, maps, records, dyn, rare functions) is an instruction that
// calls the row-by-row evaluator. A lane whose evaluation is an error is marked `bad`; && and ||
// absorb marks as they absorb errors.
//
// Thread      a Plan is immutable; Registers belong to one Evaluation.
// Lifetime    a plan points into the expression's arena.
// Limits      kInstructionsMax; a larger expression is evaluated row by row.
//
//     std::optional<Plan> plan = make_plan(*root, uses);
//     run(*plan, registers, chunk);          // registers.all[plan->result] holds the chunk's
//     values
#pragma once

#include "row/batch.h"
#include "rule/ast.h"
#include "rule/datum.h"
#include "rule/function.h"

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace penstock::rule {

inline constexpr uint32_t kLanes = 512;
inline constexpr uint32_t kInstructionsMax = 256;

// How one value stands in a register.
enum class Lane : uint8_t {
  boolean,  // uint8_t
  int64,    // int64_t; durations in nanoseconds
  uint64,   // uint64_t
  float64,  // double
  text,     // ByteView: string, bytes
  time,     // Time
};
// nullopt: values of this type have no register.
std::optional<Lane> lane_of(const Type& type);

struct Register {
  const void* data = nullptr;
  const uint8_t* bad = nullptr;    // nullptr: none is
  const uint8_t* nulls = nullptr;  // nullptr: none is
  // The register's own memory, kLanes values each; where the pointers above point unless they point
  // into a column or into another register.
  void* own_data = nullptr;
  uint8_t* own_bad = nullptr;
  uint8_t* own_nulls = nullptr;

  template <class T>
  const T* values() const {
    return static_cast<const T*>(data);
  }
  template <class T>
  T* own() {
    data = own_data;
    return static_cast<T*>(own_data);
  }
};

// The rows that a plan runs over, and what its instructions need beside registers.
struct Chunk {
  const row::Batch* batch;
  std::span<const uint32_t> rows;   // at most kLanes, ascending
  bool dense;                       // rows are consecutive
  std::span<const uint32_t> slots;  // the batch's column of each use
  Arena* arena;                     // for texts that are made
  // Evaluates a subtree for one row.
  Value (*interpret)(void* self, const Expr& expr, uint32_t row, Arena& arena);
  void* self;
};

struct Instruction;
using Kernel = void (*)(const Instruction&, Register*, const Chunk&);

// A register whose value decides an enclosing && or || already.
struct Guard {
  uint16_t reg;
  bool decided_by;
};

struct Instruction {
  Kernel kernel = nullptr;
  uint16_t to = 0;
  uint16_t a = 0, b = 0, c = 0;
  uint32_t slot = 0;           // load: number of the use
  bool non_null = false;       // load: a null is an error
  Reading reading;             // load
  const Expr* expr = nullptr;  // interpret
  const Pattern* pattern = nullptr;
  std::span<const Value> list;    // in
  std::span<const Guard> guards;  // interpret, matches: lanes that need no value
};

struct Plan {
  std::vector<Instruction> code;
  std::vector<Lane> lanes;  // of the registers
  std::vector<std::pair<uint16_t, Value>> constants;
  uint16_t result = 0;
};

class Registers {
 public:
  explicit Registers(const Plan& plan);
  std::vector<Register> all;

 private:
  Arena memory_;
};

// `readings` says how each use's column is read. nullopt: no kernel helps; evaluate row by row.
std::optional<Plan> make_plan(const Expr& root, std::span<const Reading> readings, Arena& arena);

inline void run(const Plan& plan, Registers& registers, const Chunk& chunk) {
  for (const Instruction& each : plan.code) each.kernel(each, registers.all.data(), chunk);
}

// The kernels (kernels.cc; loads and the evaluator in kernel_loads.cc, choices in
// kernel_choices.cc). nullptr: there is none for these lanes.
Kernel load_kernel(Lane lane, const Reading& reading);
Kernel interpret_kernel(Lane lane);
// +, -, *, /, % and comparisons on two registers of one lane. `durations`: int64 without / and *.
Kernel binary_kernel(Fn fn, Lane lane);
Kernel unary_kernel(Fn fn, Lane from);
// Whether a is null (Fn::eq) or is not (Fn::ne).
Kernel null_kernel(Fn fn);
Kernel and_kernel();
Kernel or_kernel();
Kernel conditional_kernel(Lane lane);
Kernel in_kernel(Lane lane);
Kernel matches_kernel();

}  // namespace penstock::rule
