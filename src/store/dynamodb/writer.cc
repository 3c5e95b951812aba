#include "store/dynamodb/writer.h"

#include "base/json_write.h"
#include "store/dynamodb/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::store::dynamodb {

using std::chrono::steady_clock;

struct Writer::Run {
  const std::vector<Item>& items;
  std::vector<ItemState>& states;
  Exchange exchange;
  std::vector<std::vector<uint32_t>> batches;  // by the call's tag
  std::map<Partition, size_t> open;            // rows of each partition that are not settled
  bool one_whole = false;                      // some partition has none left
  steady_clock::time_point began = steady_clock::now();
  Report report = {};
};

Writer::Writer(Caller& caller, Exchange::Shared& shared, std::shared_ptr<Exchange::Box> box,
               std::vector<std::string> tables, std::vector<KeyPart> key)
    : caller_(caller),
      shared_(shared),
      box_(std::move(box)),
      tables_(std::move(tables)),
      key_(std::move(key)) {}

Writer::Report Writer::put(const std::vector<Item>& items, const std::vector<uint32_t>& todo,
                           std::vector<ItemState>& states) {
  Run run{items, states, Exchange(caller_, shared_, box_), {}, {}};
  struct Filling {
    std::vector<uint32_t> batch;
    size_t bytes = 0;
  };
  std::vector<Filling> filling(tables_.size());
  for (const uint32_t index : todo) {
    const Item& item = items[index];
    ++run.open[item.row.partition];
    if (!item.version.empty()) {
      add_batch(run, {index}, 0);
      continue;
    }
    auto& [batch, bytes] = filling[item.table];
    const size_t size = item.json.size();
    if (!batch.empty() && (batch.size() == kBatchItemsMax || bytes + size > kBatchBytesMax)) {
      add_batch(run, std::exchange(batch, {}), 0);
      bytes = 0;
    }
    batch.push_back(index);
    bytes += size;
  }
  for (auto& [batch, bytes] : filling) {
    if (!batch.empty()) add_batch(run, std::move(batch), 0);
  }
  run.exchange.run([&](Call call, const Reply& reply) { on_reply(run, std::move(call), reply); });
  return std::move(run.report);
}

void Writer::add_batch(Run& run, std::vector<uint32_t> batch, uint32_t retries) {
  const bool single = !run.items[batch.front()].version.empty();
  Call call{single ? "PutItem" : "BatchWriteItem",
            single ? body_of(run.items[batch.front()]) : body_of(run, batch), run.batches.size(),
            retries};
  run.batches.push_back(std::move(batch));
  if (retries == 0) {
    run.exchange.add(std::move(call));
  } else {
    run.exchange.later(std::move(call), {.throttled = true});
  }
}

std::string Writer::body_of(const Run& run, const std::vector<uint32_t>& batch) const {
  std::string body = R"({"ReturnConsumedCapacity":"TOTAL","RequestItems":{)";
  append_json_string(tables_[run.items[batch.front()].table], body);
  body += ":[";
  for (const uint32_t index : batch) {
    if (body.back() != '[') body += ',';
    body += R"({"PutRequest":{"Item":)";
    body += run.items[index].json;
    body += "}}";
  }
  body += "]}}";
  return body;
}

std::string Writer::body_of(const Item& item) const {
  std::string body = R"({"ReturnConsumedCapacity":"TOTAL","TableName":)";
  append_json_string(tables_[item.table], body);
  body += R"(,"Item":)";
  body += item.json;
  body += R"(,"ConditionExpression":"attribute_not_exists(penstock_version) OR )";
  if (item.origin > 0) body += "NOT begins_with(penstock_version, :o) OR ";
  body += R"(penstock_version < :v","ExpressionAttributeValues":{":v":{"B":")";
  append_base64(item.version, body);
  if (item.origin > 0) {
    body += R"("},":o":{"B":")";
    append_base64(std::string_view(item.version).substr(0, item.origin), body);
  }
  body += "\"}}}";
  return body;
}

void Writer::on_reply(Run& run, Call call, const Reply& reply) {
  switch (reply.trouble) {
    case Trouble::none:
    case Trouble::condition:  // what is there is as new, or newer
      return on_done(run, call, reply);
    case Trouble::data:
      return on_refused(run, call, reply);
    case Trouble::throttled:
    case Trouble::passing:
    case Trouble::unreached:
      return try_again(run, std::move(call), reply);
    case Trouble::settings:
      run.report.trouble = reply;
  }
}

void Writer::on_done(Run& run, const Call& call, const Reply& reply) {
  const std::vector<uint32_t> batch = std::move(run.batches[call.tag]);
  const std::vector<uint32_t> left = batch.size() == 1 && !run.items[batch.front()].version.empty()
                                         ? std::vector<uint32_t>()
                                         : left_of(run, batch, reply);
  for (const uint32_t index : batch) {
    if (std::find(left.begin(), left.end(), index) == left.end())
      settle(run, index, ItemState::done);
  }
  if (left.empty()) return;
  caller_.access().usage->throttled.fetch_add(1, std::memory_order_relaxed);
  if (left.size() < batch.size()) return add_batch(run, left, 1);
  run.batches[call.tag] = batch;
  try_again(run, call, {Trouble::throttled, -1, "UnprocessedItems", "the table is busy", {}});
}

// All of them where the answer does not tell which: a put may be repeated.
std::vector<uint32_t> Writer::left_of(const Run& run, const std::vector<uint32_t>& batch,
                                      const Reply& reply) const {
  const auto unprocessed = unprocessed_of(reply.body, tables_[run.items[batch.front()].table]);
  if (!unprocessed) return batch;
  if (unprocessed->empty()) return {};
  std::vector<uint32_t> left;
  for (const uint32_t index : batch) {
    const Values ours = attributes_of(run.items[index].json);
    const auto same = [&](const Values& other) {
      return std::all_of(key_.begin(), key_.end(), [&](const KeyPart& part) {
        const auto a = ours.find(part.name), b = other.find(part.name);
        return a != ours.end() && b != other.end() && a->second.type == b->second.type &&
               a->second.text == b->second.text;
      });
    };
    if (std::any_of(unprocessed->begin(), unprocessed->end(), same)) left.push_back(index);
  }
  return left.size() == unprocessed->size() ? left : batch;
}

void Writer::on_refused(Run& run, const Call& call, const Reply& reply) {
  std::vector<uint32_t> batch = std::move(run.batches[call.tag]);
  if (batch.size() == 1) {
    settle(run, batch.front(), ItemState::refused);
    run.report.refused.push_back({run.items[batch.front()].row, "store.refused",
                                  fmt::format("{}: {}", reply.code, reply.message)});
    return;
  }
  const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
  add_batch(run, {batch.begin(), middle}, 0);
  add_batch(run, {middle, batch.end()}, 0);
}

void Writer::try_again(Run& run, Call call, const Reply& reply) {
  const auto waited = steady_clock::now() - run.began;
  const bool patient = !run.one_whole || waited < std::chrono::milliseconds(kPatienceMillis);
  if (patient && run.exchange.again(std::move(call), reply)) return;
  run.report.trouble = reply;
}

void Writer::settle(Run& run, uint32_t index, ItemState state) {
  run.states[index] = state;
  size_t& open = run.open[run.items[index].row.partition];
  if (--open == 0) run.one_whole = true;
}

}  // namespace penstock::store::dynamodb
