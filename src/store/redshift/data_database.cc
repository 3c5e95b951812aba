#include "store/redshift/data_database.h"

#include "store/redshift/trouble.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string_view>
#include <utility>

namespace penstock::store::redshift {
namespace {

// A session of the Data API's begins with the settings of its user.
const std::vector<std::string> kSetUp = {"SET datestyle TO 'ISO, YMD'", "SET timezone TO 'UTC'",
                                         "SET extra_float_digits TO 2"};
constexpr size_t kRowsMax = 2'000'000;

std::string fresh_token() {
  static thread_local std::random_device random;
  std::string token = "penstock";
  for (int i = 0; i < 4; ++i) token += fmt::format("-{:08x}", random());
  return token;
}

DbError no_answer(const Error& error) {
  DbError told = of_aws(error);
  if (told.trouble == Trouble::passing) told.trouble = Trouble::lost;
  return told;
}

// Of the statement that failed; nothing where that is not told.
std::optional<size_t> failed_at(const aws::DataRun& run) {
  const auto failed = std::ranges::find_if(run.statements, [](const aws::DataStatement& one) {
    return one.end == aws::DataEnd::failed && !one.error.empty();
  });
  if (failed != run.statements.end()) return static_cast<size_t>(failed - run.statements.begin());
  constexpr std::string_view kQuery = "Query #";  // "Query #2 failed with ERROR: …"
  const size_t at = run.error.find(kQuery);
  if (at == run.error.npos) return std::nullopt;
  return std::strtoull(run.error.c_str() + at + kQuery.size(), nullptr, 10) - 1;
}

Undone undone_by(const aws::DataRun& run, std::span<const Step> steps) {
  if (run.end == aws::DataEnd::aborted)
    return {{Trouble::passing, "57014", "the statements were cancelled"}};
  Undone undone{from_words(run.error)};
  const std::optional<size_t> at = failed_at(run);
  if (!at || *at < kSetUp.size() || *at - kSetUp.size() >= steps.size()) return undone;
  const Step& step = steps[*at - kSetUp.size()];
  undone.part = step.part;
  undone.guard = step.guard && is_division(undone.error);
  return undone;
}

}  // namespace

Answer<void> DataDatabase::open() {
  if (data_) return {};
  auto access = access_();
  if (!access) return std::unexpected(no_answer(access.error()));
  aws_ = *std::move(access);
  auto data = aws::RedshiftData::open(aws_->identity(), place_, retry_);
  if (!data) return std::unexpected(no_answer(data.error()));
  const std::scoped_lock lock(mutex_);
  data_ = *std::move(data);
  if (stopped_) data_->stop();
  return {};
}

void DataDatabase::stop() noexcept {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  if (data_) data_->stop();
}

Answer<std::vector<Rows>> DataDatabase::ask(const std::vector<std::string>& statements) {
  std::vector<Step> steps;
  for (const std::string& statement : statements) steps.push_back({statement});
  auto answers = transact(steps, Ending::commit);
  if (!answers) return std::unexpected(std::move(answers).error().error);
  return *std::move(answers);
}

Transacted DataDatabase::transact(std::span<const Step> steps, Ending ending) {
  if (auto opened = open(); !opened) return std::unexpected(Undone{std::move(opened).error()});
  std::vector<std::string> sqls = kSetUp;
  for (const Step& step : steps) sqls.push_back(step.sql);
  // What is to be undone ends by a failure.
  if (ending == Ending::undo) sqls.emplace_back("SELECT 1 / 0");
  const auto run = data_->run(sqls, fresh_token(), answer_millis_);
  if (!run) return std::unexpected(Undone{no_answer(run.error()), {}, false, true});
  if (run->end == aws::DataEnd::finished) return rows_of(*run, steps);
  const size_t last = sqls.size() - 1;
  if (ending == Ending::undo && failed_at(*run).value_or(last) == last &&
      is_division(from_words(run->error)))
    return std::vector<Rows>();
  return std::unexpected(undone_by(*run, steps));
}

Transacted DataDatabase::rows_of(const aws::DataRun& run, std::span<const Step> steps) {
  std::vector<Rows> answers(steps.size());
  for (size_t i = 0; i < steps.size() && i + kSetUp.size() < run.statements.size(); ++i) {
    const aws::DataStatement& statement = run.statements[i + kSetUp.size()];
    answers[i].changed = static_cast<uint64_t>(std::max<int64_t>(statement.rows, 0));
    if (!statement.has_rows || steps[i].guard) continue;
    auto rows = data_->rows(statement, kRowsMax);
    if (!rows) return std::unexpected(Undone{no_answer(rows.error()), {}, false, true});
    answers[i].cells = *std::move(rows);
  }
  return answers;
}

}  // namespace penstock::store::redshift
