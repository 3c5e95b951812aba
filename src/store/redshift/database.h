// database.h — how statements get to Redshift: one door, with two ways behind it.
//
// A transaction is handed over as a whole, since the Data API takes nothing else: it runs a batch
// as one transaction, and nobody looks in before its end. What has to hold in the middle is
// therefore a statement, a guard, that fails by a division where it does not. Both ways send the
// same text.
//
// Thread      one; stop() from any.
// Limits      the Data API: 40 statements of 100,000 bytes, ours among them (kDataSteps are left).
// Errors      Undone says what failed and whether the transaction may be there all the same.
//
//     std::vector<Step> steps = {{lock}, {guard_text(2, "t WHERE …"), kPositions, true}, {update}};
//     auto answers = database.transact(steps);
//     if (!answers && answers.error().guard) …
#pragma once

#include "store/libpq/connection.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace penstock::store::redshift {

inline constexpr int kPositions = -1;
// What the Data API leaves of its 40, and so many tables' worth of an epoch's statements.
inline constexpr size_t kDataSteps = 37;
inline constexpr size_t kDataTables = 5;

struct Step {
  std::string sql;
  int part = kPositions;  // what it is about: a number of the caller's, told back when it fails
  bool guard = false;
};

// Fails unless so many rows are there; `from` is what stands after FROM.
std::string guard_text(uint64_t rows, const std::string& from);

struct Undone {
  DbError error;
  std::optional<int> part = {};  // of what failed, where that is known
  bool guard = false;            // a guard failed
  bool unknown = false;          // it may be there all the same
};
using Transacted = std::expected<std::vector<Rows>, Undone>;  // an answer for each step

enum class Ending : uint8_t { commit, undo };

class Database {
 public:
  virtual ~Database() = default;
  // Ready for the next call. What was lost is opened anew.
  virtual Answer<void> open() = 0;
  // Statements that are no transaction of ours; all answers.
  virtual Answer<std::vector<Rows>> ask(const std::vector<std::string>& statements) = 0;
  // All steps or none. With `undo` none, and then there are no answers: whether they would go.
  virtual Transacted transact(std::span<const Step> steps, Ending ending = Ending::commit) = 0;
  // What waits, and all later calls, end soon.
  virtual void stop() noexcept = 0;
};

}  // namespace penstock::store::redshift
