#include "store/dynamodb/position.h"

#include "base/json_write.h"
#include "http/message.h"
#include "store/dynamodb/answer.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace penstock::store::dynamodb {
namespace {

constexpr uint32_t kRacesMax = 20;  // others that claim the same partition at the same time

std::string text_value(std::string_view text) {
  std::string out = R"({"S":)";
  append_json_string(text, out);
  return out + "}";
}

std::string number_value(int64_t value) { return fmt::format(R"({{"N":"{}"}})", value); }

std::optional<int64_t> number_of(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  if (found == values.end() || found->second.type != "N") return std::nullopt;
  const std::string& text = found->second.text;
  int64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string text_of(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? std::string() : found->second.text;
}

}  // namespace

std::string PositionKeeper::id_of(Partition partition) const {
  return fmt::format("{}/{}/{}/{}/{}", http::percent_encoded(spec_.pipeline),
                     http::percent_encoded(spec_.stage), http::percent_encoded(spec_.store),
                     http::percent_encoded(spec_.inputs[partition.topic]), partition.index);
}

std::string PositionKeeper::key_body(Partition partition) const {
  return fmt::format(R"({{"TableName":"{}","Key":{{"id":{}}},"ConsistentRead":true}})",
                     kPositionsTable, text_value(id_of(partition)));
}

// ---- claim

struct PositionKeeper::Claiming {
  const flow::PartitionSet& partitions;
  Exchange exchange;
  std::vector<flow::Owned> owned;
  std::vector<bool> found;
  std::vector<uint32_t> races;
  size_t done = 0;
  std::optional<Reply> trouble;
  std::optional<Error> error;
};

flow::SinkEvent PositionKeeper::claim(const flow::PartitionSet& partitions) {
  const size_t count = partitions.size();
  Claiming claiming{partitions,
                    Exchange(caller_, shared_, box_),
                    std::vector<flow::Owned>(count),
                    std::vector<bool>(count),
                    std::vector<uint32_t>(count),
                    0,
                    {},
                    {}};
  for (size_t i = 0; i < count; ++i)
    claiming.exchange.add({"GetItem", key_body(partitions[i]), i, 0});
  claiming.exchange.run(
      [&](Call call, const Reply& reply) { on_claim(claiming, std::move(call), reply); });
  if (claiming.error) return flow::ClaimFailed{*std::move(claiming.error), false};
  if (claiming.done == count) return flow::Claimed{std::move(claiming.owned)};
  const Reply reply = claiming.trouble.value_or(Reply{Trouble::unreached, -1, {}, "stopped", {}});
  const bool passes = reply.trouble != Trouble::settings && reply.trouble != Trouble::data;
  return flow::ClaimFailed{to_error(reply, caller_.access().where), passes};
}

void PositionKeeper::on_claim(Claiming& claiming, Call call, const Reply& reply) {
  const size_t index = call.tag;
  if (reply.trouble == Trouble::none) {
    if (call.operation == "GetItem") return on_found(claiming, index, reply);
    ++claiming.done;
    return;
  }
  // Somebody else was first, or we were and never heard of it: look again.
  if (reply.trouble == Trouble::condition && ++claiming.races[index] < kRacesMax) {
    claiming.exchange.add({"GetItem", key_body(claiming.partitions[index]), index, 0});
    return;
  }
  const bool passes = reply.trouble == Trouble::throttled || reply.trouble == Trouble::passing ||
                      reply.trouble == Trouble::unreached;
  if (passes && claiming.exchange.again(std::move(call), reply)) return;
  claiming.trouble = reply;
}

void PositionKeeper::on_found(Claiming& claiming, size_t index, const Reply& reply) {
  const Partition partition = claiming.partitions[index];
  const std::string& topic = spec_.inputs[partition.topic];
  auto item = item_of(reply.body);
  if (!item) {
    claiming.error = std::move(item).error();
    return;
  }
  flow::Owned owned{partition, {1}, {0}, {}, flow::Start::first, {}};
  const bool found = item->has_value();
  if (found) {
    const Values& values = **item;
    const auto next = number_of(values, "next"), term = number_of(values, "term");
    const bool committed = values.contains("fates");
    const auto fates = flow::fates_from_text(text_of(values, "fates"));
    if (!next || !term || (committed && !fates)) {
      claiming.error = fail("S033"_code, fmt::format("position \"{}\" in {} cannot be read",
                                                     id_of(partition), kPositionsTable))
                           .take();
      return;
    }
    owned.term = {static_cast<uint64_t>(*term) + 1};
    const bool same = text_of(values, "lineage") == spec_.lineages[partition.topic];
    if (committed && !same) {
      claiming.error =
          fail("S003"_code, fmt::format("{}: topic \"{}\" was made anew since the store read it",
                                        caller_.access().where, topic))
              .cure(fmt::format("to read the new topic from its beginning, delete the items of "
                                "{} whose id begins with {}",
                                kPositionsTable, id_of({partition.topic, 0})))
              .take();
      return;
    }
    if (same) owned.next = {*next};
    if (committed) {
      owned.fates = *fates;
      owned.start = flow::Start::resumed;
    }
  }
  claiming.owned[index] = owned;
  claiming.found[index] = found;
  claiming.exchange.add({"UpdateItem", claim_body(owned, found), index, 0});
}

std::string PositionKeeper::claim_body(const flow::Owned& owned, bool found) const {
  const Partition partition = owned.partition;
  std::string body =
      fmt::format(R"({{"ReturnConsumedCapacity":"TOTAL","TableName":"{}",)"
                  R"("Key":{{"id":{}}},"UpdateExpression":)"
                  R"("SET term = :term, #next = :next, lineage = :lineage, pipeline = :pipeline, )"
                  R"(stage = :stage, #store = :store, topic = :topic, #partition = :partition",)"
                  R"("ConditionExpression":"{}","ExpressionAttributeNames":{{"#next":"next",)"
                  R"("#store":"store","#partition":"partition"}},)",
                  kPositionsTable, text_value(id_of(partition)),
                  found ? "term = :old AND #next = :next" : "attribute_not_exists(id)");
  body += fmt::format(
      R"("ExpressionAttributeValues":{{":term":{},":next":{},":lineage":{},":pipeline":{},)"
      R"(":stage":{},":store":{},":topic":{},":partition":{})",
      number_value(static_cast<int64_t>(owned.term.value)), number_value(owned.next.value),
      text_value(spec_.lineages[partition.topic]), text_value(spec_.pipeline),
      text_value(spec_.stage), text_value(spec_.store), text_value(spec_.inputs[partition.topic]),
      number_value(partition.index));
  if (found)
    body += fmt::format(R"(,":old":{})", number_value(static_cast<int64_t>(owned.term.value) - 1));
  return body + "}}";
}

// ---- swap

struct PositionKeeper::Swapping {
  const std::vector<flow::PartitionCommit>& commits;
  Exchange exchange;
  std::vector<bool> doubtful;  // a try of it may have been done
  Swaps swaps;
};

PositionKeeper::Swaps PositionKeeper::swap(const std::vector<flow::PartitionCommit>& commits) {
  Swapping swapping{commits,
                    Exchange(caller_, shared_, box_),
                    std::vector<bool>(commits.size()),
                    {std::vector<Moved>(commits.size(), Moved::unknown), {}}};
  for (size_t i = 0; i < commits.size(); ++i)
    swapping.exchange.add({"UpdateItem", swap_body(commits[i]), i, 0});
  swapping.exchange.run(
      [&](Call call, const Reply& reply) { on_swap(swapping, std::move(call), reply); });
  return std::move(swapping.swaps);
}

std::string PositionKeeper::swap_body(const flow::PartitionCommit& commit) const {
  return fmt::format(R"({{"ReturnConsumedCapacity":"TOTAL","TableName":"{}",)"
                     R"("Key":{{"id":{}}},"UpdateExpression":)"
                     R"("SET #next = :next, fates = :fates","ConditionExpression":)"
                     R"("#next = :from AND term = :term AND lineage = :lineage",)"
                     R"("ExpressionAttributeNames":{{"#next":"next"}},"ExpressionAttributeValues":)"
                     R"({{":next":{},":fates":{},":from":{},":term":{},":lineage":{}}}}})",
                     kPositionsTable, text_value(id_of(commit.partition)),
                     number_value(commit.next.value), text_value(flow::to_text(commit.fates)),
                     number_value(commit.from.value),
                     number_value(static_cast<int64_t>(commit.term.value)),
                     text_value(spec_.lineages[commit.partition.topic]));
}

void PositionKeeper::on_swap(Swapping& swapping, Call call, const Reply& reply) {
  const size_t index = call.tag;
  const flow::PartitionCommit& commit = swapping.commits[index];
  Moved& moved = swapping.swaps.moved[index];
  const bool reading = call.operation == "GetItem";
  switch (reply.trouble) {
    case Trouble::none: {
      if (!reading) {
        moved = Moved::yes;
        return;
      }
      const auto item = item_of(reply.body);
      const bool ours = item && *item &&
                        number_of(**item, "term") == static_cast<int64_t>(commit.term.value) &&
                        number_of(**item, "next") == commit.next.value;
      moved = ours ? Moved::yes : Moved::fenced;
      return;
    }
    case Trouble::condition:
      // Or it was our own former try, whose answer was lost.
      moved = swapping.doubtful[index] ? Moved::unknown : Moved::fenced;
      if (swapping.doubtful[index])
        swapping.exchange.add({"GetItem", key_body(commit.partition), index, 0});
      return;
    case Trouble::passing:
      swapping.doubtful[index] = swapping.doubtful[index] || !reading;
      [[fallthrough]];
    case Trouble::throttled:
    case Trouble::unreached:
      if (swapping.exchange.again(call, reply)) return;
      [[fallthrough]];
    default:
      moved = swapping.doubtful[index] ? Moved::unknown : Moved::no;
      swapping.swaps.trouble = reply;
  }
}

}  // namespace penstock::store::dynamodb
