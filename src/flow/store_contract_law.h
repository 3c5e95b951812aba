// store_contract_law.h — the law that a store's content keeps to, and workers judged by it;
// store_contract_faults.h drives them through faults.
//
// One stage reads one partition whose records are known: record_at(offset). What stands in the
// table is then a function of the position: expected(merge, next). In a store whose rows and
// positions are one act it is exactly that; elsewhere each key is as after some offset between the
// position and the last one written, and no key ever goes back.
//
// Thread      one.
#pragma once

#include "flow/store_contract.h"

#include <cstdlib>
#include <map>
#include <string_view>
#include <tuple>

namespace penstock::flow {

// Three keys that take turns; now and then one comes with an older or an equal time.
inline ContractRow record_at(int64_t offset) {
  static constexpr int64_t kTimes[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9};
  return {"k" + std::to_string(offset % 3), offset / 26 * 10 + kTimes[offset % 13],
          static_cast<double>(offset) + 0.5};
}

// (id, at, v), as often as it is there.
using ContractContent = std::map<std::tuple<std::string, int64_t, double>, int>;

inline std::string show(const ContractContent& content) {
  std::string text;
  for (const auto& [row, count] : content) {
    const auto& [id, at, v] = row;
    text += id + " at " + std::to_string(at) + " v " + std::to_string(v) + " x" +
            std::to_string(count) + "; ";
  }
  return text;
}

inline bool replaces(Merge merge, const ContractRow& old, const ContractRow& row) {
  return merge == Merge::upsert || row.at >= old.at;
}

inline ContractContent expected_content(Merge merge, int64_t next) {
  ContractContent content;
  std::map<std::string, ContractRow> kept;
  for (int64_t offset = 0; offset < next; ++offset) {
    const ContractRow row = record_at(offset);
    if (merge == Merge::append) ++content[{*row.id, row.at, row.v}];
    const auto [it, is_new] = kept.try_emplace(*row.id, row);
    if (!is_new && replaces(merge, it->second, row)) it->second = row;
  }
  if (merge == Merge::append) return content;
  for (const auto& [id, row] : kept) content[{id, row.at, row.v}] = 1;
  return content;
}

inline ContractContent content_of(StoreHarness& harness, const StoreSpec& spec) {
  auto rows = harness.reader().newest(spec.table, 1'000'000, {});
  REQUIRE(rows.has_value());
  ContractContent content;
  for (const std::string& row : *rows) {
    const auto after = [&](std::string_view name) {
      const size_t at = row.find(name);
      REQUIRE_MESSAGE(at != row.npos, row);
      return row.c_str() + at + name.size();
    };
    const std::string_view id = after("\"id\":\"");
    ++content[{std::string(id.substr(0, id.find('"'))), std::strtoll(after("\"at\":"), nullptr, 10),
               std::strtod(after("\"v\":"), nullptr)}];
  }
  return content;
}

// A stage whose workers die, resume and take over from each other.
class ContractStage {
 public:
  ContractStage(StoreHarness& harness, Merge merge)
      : harness_(harness), merge_(merge), spec_(store_contract_spec(merge)) {
    auto made = harness.store().create_missing(spec_.table);
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : one_line(made.error())));
  }

  // A new worker claims, as often as it takes; then the law is checked.
  void take_over() {
    writer_.reset();
    writer_ = open();
    for (int tries = 0; !try_claim(); ++tries) REQUIRE(tries < 10);
    check();
  }
  // False when the store was away.
  bool try_claim() {
    SinkEvent event = writer_->try_claim({kLawPartition});
    if (auto* failed = std::get_if<ClaimFailed>(&event)) {
      REQUIRE_MESSAGE(failed->retry, one_line(failed->error));
      return false;
    }
    owned_ = std::get<Claimed>(event).owned.at(0);
    return true;
  }
  // Writes the next `count` records and begins nothing.
  void write(int64_t count) {
    std::vector<ContractRow> rows;
    for (int64_t i = 0; i < count; ++i) rows.push_back(record_at(owned_.next.value + i));
    // Two calls, so that keys also repeat across them.
    const size_t half = rows.size() / 2;
    writer_->write(kLawPartition, owned_.next.value, {rows.begin(), rows.begin() + half});
    writer_->write(kLawPartition, owned_.next.value + half, {rows.begin() + half, rows.end()});
    open_ = count;
    written_ = std::max(written_, owned_.next.value + count);
  }
  // Of what write() gave; moves on when it is done.
  CommitEnd commit() {
    const Ended ended = writer_->commit({moved()});
    if (ended.end == CommitEnd::done) {
      const std::optional<Offset> durable = ended.durable.find(kLawPartition);
      REQUIRE(durable.has_value());
      owned_.next = *durable;
      owned_.fates = fates_at(durable->value);
    }
    return ended.end;
  }
  // The same, whatever it meets, until it is durable. What a worker after a fault reads again it
  // commits in small epochs, so that a state in which only some of it is repeated is seen.
  void advance(int64_t count) {
    const int64_t goal = owned_.next.value + count;
    for (int tries = 0; owned_.next.value < goal; ++tries) {
      REQUIRE(tries < 100);
      write(std::min(count, goal - owned_.next.value));
      CommitEnd end = commit();
      while (end == CommitEnd::retry && ++tries < 100) end = commit();
      const bool over = end == CommitEnd::done || end == CommitEnd::unknown;
      REQUIRE(over);
      if (end == CommitEnd::unknown) {
        take_over();
        count = 2;
      }
      check();
    }
  }
  // The worker is still there, but nobody hears of it until resume().
  std::unique_ptr<ContractWriter> leave() { return std::move(writer_); }

  void check() {
    const ContractContent now = content_of(harness_, spec_);
    if (harness_.traits().one_act) {
      const ContractContent expected = expected_content(merge_, owned_.next.value);
      CHECK_MESSAGE(now == expected, "at ", owned_.next.value, ": ", show(now), "instead of ",
                    show(expected));
    } else {
      check_keys(now);
    }
    seen_ = now;
  }
  PartitionCommit moved() const {
    return {kLawPartition,
            owned_.term,
            owned_.next,
            {owned_.next.value + open_},
            fates_at(owned_.next.value + open_)};
  }
  const Owned& owned() const { return owned_; }
  const StoreSpec& spec() const { return spec_; }
  std::unique_ptr<ContractWriter> open() const {
    return std::make_unique<ContractWriter>(harness_, spec_, false);
  }
  void use(std::unique_ptr<ContractWriter> writer) { writer_ = std::move(writer); }
  ContractWriter& writer() { return *writer_; }

  static constexpr Partition kLawPartition{0, 0};

 private:
  static Fates fates_at(int64_t next) {
    Fates fates;
    fates.in = static_cast<uint64_t>(next);
    fates.out.add("latest", static_cast<uint64_t>(next));
    return fates;
  }
  void check_keys(const ContractContent& now) const {
    std::map<std::string, std::vector<ContractRow>> history;  // what a key may hold, in order
    for (int64_t next = 1; next <= written_; ++next) {
      for (const auto& [row, count] : expected_content(merge_, next)) {
        const auto& [id, at, v] = row;
        auto& rows = history[id];
        if (rows.empty() || rows.back().v != v) rows.push_back({id, at, v});
      }
    }
    const auto place = [&](const auto& row) {
      const auto& rows = history[std::get<0>(row)];
      for (size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].v == std::get<2>(row) && rows[i].at == std::get<1>(row)) return i + 1;
      }
      return size_t{0};
    };
    std::map<std::string, size_t> reached;
    for (const auto& [row, count] : now) {
      CHECK(count == 1);
      CHECK_MESSAGE(place(row) > 0, std::get<0>(row), " holds ", std::get<2>(row));
      reached[std::get<0>(row)] = place(row);
    }
    for (const auto& [row, count] : expected_content(merge_, owned_.next.value)) {
      CHECK_MESSAGE(reached[std::get<0>(row)] >= place(row), std::get<0>(row), " is behind");
    }
    for (const auto& [row, count] : seen_) {
      CHECK_MESSAGE(reached[std::get<0>(row)] >= place(row), std::get<0>(row), " went back");
    }
  }

  StoreHarness& harness_;
  Merge merge_;
  StoreSpec spec_;
  std::unique_ptr<ContractWriter> writer_;
  Owned owned_;
  int64_t open_ = 0;
  int64_t written_ = 0;  // the greatest offset that was ever handed to a sink
  ContractContent seen_;
};

}  // namespace penstock::flow
