#include "avro/compatibility.h"

#include "avro/matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace penstock::avro {
namespace {

constexpr std::string_view kToldAbove = "the first place where they meet says what to change";

class Comparison {
 public:
  explicit Comparison(std::set<NodePair>& hopeless) : hopeless_(hopeless) {}
  std::vector<Disagreement> take() && { return std::move(found_); }

  void compare(const Node& writer, const Node& reader, const std::string& path) {
    if (writer.type == Type::union_) return each_branch(writer, reader, path);
    if (reader.type == Type::union_) return any_branch(writer, reader, path);
    if (writer.type != reader.type) {
      if (!promotes(writer.type, reader.type)) types_differ(writer, reader, path);
      return;
    }
    if (named(writer) && !names_match(writer, reader)) {
      return add(
          path, mismatch(writer, reader),
          fmt::format("keep the name {0}, or give {1} the alias {0}", writer.name, reader.name));
    }
    same_type(writer, reader, path);
  }

 private:
  void add(const std::string& path, std::string what, std::string_view cure) {
    found_.push_back({path, std::move(what), std::string(cure)});
  }

  void types_differ(const Node& writer, const Node& reader, const std::string& path) {
    add(path, mismatch(writer, reader),
        fmt::format("keep {0}, or read both: [{0}, {1}]", describe(writer), describe(reader)));
  }

  void same_type(const Node& writer, const Node& reader, const std::string& path) {
    switch (writer.type) {
      case Type::record:
        return records(writer, reader, path);
      case Type::enum_:
        return enums(writer, reader, path);
      case Type::array:
        return compare(*writer.items, *reader.items, path + "[]");
      case Type::map:
        return compare(*writer.items, *reader.items, path + "{}");
      case Type::fixed:
        if (writer.size_bytes != reader.size_bytes) {
          return add(
              path,
              fmt::format("{} bytes cannot be read as {}", writer.size_bytes, reader.size_bytes),
              "a fixed keeps its size: give the new one another name, in a union with it");
        }
        break;
      default:
        break;
    }
    if (!decimals_agree(writer, reader)) {
      add(path,
          fmt::format("decimal({}, {}) cannot be read as decimal({}, {})", writer.precision,
                      writer.scale, reader.precision, reader.scale),
          "a decimal keeps its precision and scale: add a new field");
    }
  }

  void records(const Node& writer, const Node& reader, const std::string& path) {
    const NodePair pair{&writer, &reader};
    if (hopeless_.contains(pair)) return add(path, mismatch(writer, reader), kToldAbove);
    if (!seen_.insert(pair).second) return;
    const size_t before = found_.size();
    const std::vector<uint32_t> from = match_fields(writer, reader);
    for (size_t at = 0; at < from.size(); ++at) {
      const Field& field = reader.fields[at];
      const std::string inner = path.empty() ? field.name : path + "." + field.name;
      if (from[at] != kNoMatch) {
        compare(*writer.fields[from[at]].type, *field.type, inner);
      } else if (!field.has_default) {
        add(inner, "is not in the writer's schema and has no default",
            "give it a default in the reader, or the alias of the field that it was");
      }
    }
    if (found_.size() > before) hopeless_.insert(pair);
  }

  void enums(const Node& writer, const Node& reader, const std::string& path) {
    if (reader.has_enum_default || !seen_.emplace(&writer, &reader).second) return;
    std::vector<std::string> missing;
    for (const std::string& symbol : writer.symbols) {
      if (std::ranges::find(reader.symbols, symbol) == reader.symbols.end())
        missing.push_back(symbol);
    }
    if (missing.empty()) return;
    add(path, fmt::format("enum {} lacks {}", reader.name, fmt::join(missing, ", ")),
        "keep these symbols, or give the enum a default");
  }

  void each_branch(const Node& writer, const Node& reader, const std::string& path) {
    for (const Node* branch : writer.branches) {
      const bool plain = branch->type == Type::null_ || writer.nullable_branch() != nullptr;
      compare(*branch, reader, plain ? path : fmt::format("{}({})", path, describe(*branch)));
    }
  }

  // A reader's union: one branch has to do. Where just one comes into question, what is wrong
  // is told of that one.
  void any_branch(const Node& writer, const Node& reader, const std::string& path) {
    std::vector<Disagreement> of_last;
    uint32_t candidates = 0;
    for (const Node* branch : reader.branches) {
      if (branch_rank(writer, *branch) == kNoMatch) continue;
      ++candidates;
      Comparison trial(hopeless_);
      trial.seen_ = seen_;
      trial.compare(writer, *branch, path);
      if (trial.found_.empty()) {
        seen_ = std::move(trial.seen_);
        return;
      }
      of_last = std::move(trial.found_);
    }
    if (candidates == 1) {
      std::ranges::move(of_last, std::back_inserter(found_));
      return;
    }
    add(path, fmt::format("{} has no branch in {}", describe(writer), describe(reader)),
        fmt::format("add {} to the union", describe(writer)));
  }

  std::set<NodePair>& hopeless_;  // pairs of records that were found not to fit
  std::set<NodePair> seen_;       // what was assumed to fit while going round
  std::vector<Disagreement> found_;
};

}  // namespace

std::vector<Disagreement> disagreements(const Node& writer, const Node& reader) {
  std::set<NodePair> hopeless;
  Comparison comparison(hopeless);
  comparison.compare(writer, reader, {});
  return std::move(comparison).take();
}

Compatibility compare(const Node& old, const Node& now) {
  return {.backward = disagreements(old, now), .forward = disagreements(now, old)};
}

std::string one_line(const Disagreement& disagreement) {
  if (disagreement.path.empty()) return disagreement.what;
  return fmt::format("field \"{}\": {}", disagreement.path, disagreement.what);
}

}  // namespace penstock::avro
