// The law: each record exactly once where it belongs, in order per key, and the books add up.
#include "world.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace penstock::sim {

class Law {
 public:
  explicit Law(World& world) : world_(world) {}

  std::vector<std::string> judge() {
    judge_first_stage();
    judge_second_stage();
    judge_positions();
    return std::move(violations_);
  }

 private:
  using Count = std::map<std::string, uint64_t>;

  template <class... Args>
  void violated(fmt::format_string<Args...> format, Args&&... args) {
    if (violations_.size() < 20) {
      violations_.push_back(fmt::format(format, std::forward<Args>(args)...));
    }
  }

  std::vector<std::string> read(const std::string& topic, int32_t partition) {
    std::vector<std::string> values;
    Offset from;
    while (true) {
      Offset next = from;
      const auto batch = world_.log_.read(topic, partition, from, {}, &next);
      for (const row::RawRecord& record : batch->records) values.emplace_back(record.value);
      if (next == from) return values;
      from = next;
    }
  }

  // Numbers of one key grow within a partition.
  void in_order(const std::string& where, const std::vector<std::string>& values) {
    std::map<uint64_t, uint64_t> last;
    for (const std::string& value : values) {
      const auto [at, fresh] = last.emplace(key_of(value), number_of(value));
      if (fresh) continue;
      if (number_of(value) <= at->second) {
        violated("{}: {} comes after number {} of its key", where, value, at->second);
      }
      at->second = std::max(at->second, number_of(value));
    }
  }

  void same(const std::string& where, const Count& expected, const Count& found, bool repeats) {
    for (const auto& [text, count] : expected) {
      const auto at = found.find(text);
      if (at == found.end()) {
        violated("{}: {} is missing", where, text);
      } else if (at->second != count && !repeats) {
        violated("{}: {} stands there {} times", where, text, at->second);
      }
    }
    for (const auto& [text, count] : found) {
      if (!expected.contains(text)) violated("{}: {} does not belong there", where, text);
    }
  }

  void books(const std::string& where, const flow::Fates& found, const flow::Fates& expected) {
    if (!found.adds_up()) violated("{}: {} does not add up", where, flow::to_text(found));
    const bool equal = found.in == expected.in && found.dead == expected.dead &&
                       found.absorbed == expected.absorbed &&
                       found.out.total() == expected.out.total() &&
                       found.dropped.total() == expected.dropped.total();
    if (!equal) {
      violated("{}: fates are {}, not {}", where, flow::to_text(found), flow::to_text(expected));
    }
  }

  flow::Fates expected_fates(uint32_t stage, const std::vector<std::string>& values) const {
    flow::Fates fates;
    std::set<std::string> seen;
    for (const std::string& value : values) {
      ++fates.in;
      const bool repeat = stage == 0 && world_.settings_.repeats() && !seen.insert(value).second;
      if (repeat) ++fates.absorbed;
      if (repeat) continue;
      const Fate fate = fate_of(stage, value);
      if (fate == Fate::drop) fates.dropped.add("steps[0]", 1);
      if (fate == Fate::dead || fate == Fate::refuse) ++fates.dead;
      if (fate == Fate::pass) fates.out.add("out", 1);
    }
    return fates;
  }

  void judge_first_stage() {
    Count mid, dead;
    for (const std::string& text : world_.fed_) {
      const Fate fate = fate_of(0, text);
      if (fate == Fate::pass) mid[annotated(text)] = 1;
      if (fate == Fate::dead) dead[text] = 1;
    }
    Count found_mid, found_dead;
    for (int32_t p = 0; p < kPartitions; ++p) {
      const auto values = read("mid", p);
      in_order(fmt::format("mid/{}", p), values);
      for (const std::string& value : values) ++found_mid[value];
    }
    for (const std::string& value : read("dead.prep", 0)) ++found_dead[value];
    same("mid", mid, found_mid, false);
    same("dead.prep", dead, found_dead, false);
  }

  void judge_second_stage() {
    Count rows, dead;
    for (int32_t p = 0; p < kPartitions; ++p) {
      for (const std::string& text : read("mid", p)) {
        const Fate fate = fate_of(1, text);
        if (fate == Fate::pass) ++rows[text];
        if (fate == Fate::dead || fate == Fate::refuse) dead[text] = 1;
      }
    }
    Count found_rows, found_dead;
    std::map<int32_t, std::vector<std::string>> by_partition;
    for (const store::ModelRow& row : world_.store_.rows("table")) {
      const size_t start = row.text.find("\"k") + 1;
      std::string text = row.text.substr(start, row.text.find('"', start) - start);
      ++found_rows[text];
      by_partition[row.origin.partition].push_back(std::move(text));
    }
    for (const auto& [partition, values] : by_partition) {
      in_order(fmt::format("table, from mid/{}", partition), values);
    }
    for (const std::string& value : read("dead.writer", 0)) ++found_dead[value];
    same("table", rows, found_rows, false);
    same("dead.writer", dead, found_dead, true);
  }

  void judge_positions() {
    const auto groups = *world_.log_.groups();
    const auto topics = *world_.log_.topics();
    const auto end_of = [&](const std::string& topic, int32_t partition) {
      for (const flow::TopicState& state : topics) {
        if (state.name == topic) return state.partitions[static_cast<size_t>(partition)].end;
      }
      return Offset{-1};
    };
    for (const flow::GroupState& group : groups) {
      for (const flow::GroupPosition& p : group.positions) {
        const std::string where = fmt::format("group {}, {}/{}", group.name, p.topic, p.partition);
        if (p.next != end_of(p.topic, p.partition)) {
          violated("{}: position {}, end {}", where, p.next.value,
                   end_of(p.topic, p.partition).value);
        }
        if (group.name == "prep") {
          books(where, p.fates, expected_fates(0, read("in", p.partition)));
        }
      }
    }
    const auto state = world_.store_.state(world_.store_spec());
    for (const flow::GroupPosition& p : state->positions) {
      books(fmt::format("store, {}/{}", p.topic, p.partition), p.fates,
            expected_fates(1, read("mid", p.partition)));
    }
  }

  World& world_;
  std::vector<std::string> violations_;
};

std::vector<std::string> judge(World& world) { return Law(world).judge(); }

}  // namespace penstock::sim
