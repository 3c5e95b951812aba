#include "store/model/model_store.h"

#include "base/json_write.h"
#include "flow/key_text.h"
#include "store/model/model_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace penstock::store {
namespace {

void append_value(const row::Column& column, uint32_t row, std::string& out) {
  if (column.is_null(row)) {
    out += "null";
    return;
  }
  switch (column.kind) {
    case row::Kind::boolean:
      out += column.booleans[row] != 0 ? "true" : "false";
      break;
    case row::Kind::int64:
      fmt::format_to(std::back_inserter(out), "{}", column.int64s[row]);
      break;
    case row::Kind::float64:
      append_json_number(column.float64s[row], out);
      break;
    case row::Kind::string:
      append_json_string(column.views[row], out);
      break;
    case row::Kind::bytes:
    case row::Kind::datum:
      out += '"';
      for (const char c : column.views[row])
        fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
      out += '"';
  }
}

bool same_shape(const flow::StoreTable& a, const flow::StoreTable& b) {
  return a.merge == b.merge && a.key == b.key && a.newest_by == b.newest_by;
}

}  // namespace

Fate next_fate(ModelFaults& faults) {
  if (faults.away) return Fate::not_done;
  if (!faults.cut) return Fate::answered;
  if (faults.cut->after-- > 0) return Fate::answered;
  const bool applied = faults.cut->applied;
  faults.cut.reset();
  return applied ? Fate::done_but_lost : Fate::not_done;
}

PreparedRow prepare(const flow::StoreTable& table, const flow::StoreRows& rows, uint32_t row,
                    std::optional<double> refuse_above) {
  PreparedRow made;
  const std::vector<avro::Field>& fields = table.schema->root().fields;
  std::vector<std::string> key_texts(table.key.size());
  made.text = "{";
  for (size_t i = 0; i < fields.size(); ++i) {
    const row::Column& column = rows.columns[i];
    if (i > 0) made.text += ',';
    append_json_string(fields[i].name, made.text);
    made.text += ':';
    const size_t start = made.text.size();
    append_value(column, row, made.text);
    const auto key = std::find(table.key.begin(), table.key.end(), fields[i].name);
    const bool is_newest = table.newest_by == fields[i].name;
    if ((key != table.key.end() || is_newest) && column.is_null(row))
      made.reason = "store.not_null";
    if (column.kind == row::Kind::float64 && !column.is_null(row) &&
        std::isnan(column.float64s[row]))
      made.reason = "store.not_a_number";
    if (column.kind == row::Kind::float64 && refuse_above && !column.is_null(row) &&
        column.float64s[row] > *refuse_above)
      made.reason = "store.constraint";
    if (column.kind == row::Kind::float64) made.number = column.float64s[row];
    if (key != table.key.end()) key_texts[key - table.key.begin()] = made.text.substr(start);
    if (!is_newest || column.is_null(row)) continue;
    if (column.kind == row::Kind::int64) {
      made.newest_text =
          fmt::format("{:020}", static_cast<uint64_t>(column.int64s[row]) ^ (1ULL << 63));
    } else if (column.kind == row::Kind::float64) {
      made.newest_number = column.float64s[row];
    } else if (column.kind != row::Kind::boolean) {
      made.newest_text = column.views[row];
    }
  }
  made.text += '}';
  std::vector<std::string_view> views(key_texts.begin(), key_texts.end());
  flow::append_key(views, made.key);
  return made;
}

void ModelStore::Contents::apply(ModelTable& table, PreparedRow&& row, const ModelOrigin& origin) {
  ModelTable::Kept kept{{row.key, std::move(row.text), origin, 1, ++writes},
                        row.newest_number,
                        std::move(row.newest_text),
                        {}};
  if (table.shape.merge == flow::Merge::append) {
    table.appended.push_back(std::move(kept));
    return;
  }
  const auto it = table.by_key.find(row.key);
  if (it == table.by_key.end()) {
    table.by_key.emplace(std::move(row.key), std::move(kept));
    return;
  }
  kept.row.writes = it->second.row.writes + 1;
  const bool older = std::tie(kept.newest_number, kept.newest_text) <
                     std::tie(it->second.newest_number, it->second.newest_text);
  if (table.shape.merge == flow::Merge::newest_by && older) {
    it->second.row.writes = kept.row.writes;
  } else {
    it->second = std::move(kept);
  }
}

void ModelStore::Contents::put(ModelTable& table, PreparedRow&& row, const ModelOrigin& origin,
                               Term term, ModelFaults::Bug bug) {
  using Bug = ModelFaults::Bug;
  ModelTable::Kept kept{{row.key, std::move(row.text), origin, 1, ++writes},
                        row.newest_number,
                        std::move(row.newest_text),
                        term};
  const auto [it, is_new] = table.by_key.try_emplace(row.key, kept);
  if (is_new) return;
  const ModelTable::Kept& there = it->second;
  const auto version = [&](const ModelTable::Kept& item) {
    const bool newest = table.shape.merge == flow::Merge::newest_by;
    return std::tuple(newest ? item.newest_number : 0.0, newest ? item.newest_text : std::string(),
                      item.row.origin.lineage, item.row.origin.offset);
  };
  bool newer = version(there) < version(kept);
  if (bug == Bug::unconditional) newer = true;
  if (bug == Bug::owner_version)
    newer = std::tie(there.term, there.row.origin.offset) < std::tie(term, origin.offset);
  if (bug == Bug::adds) {
    newer = true;
    std::string& text = kept.row.text;
    const size_t at = there.row.text.rfind(':') + 1;
    const double sum = row.number + std::strtod(there.row.text.c_str() + at, nullptr);
    text.resize(text.rfind(':') + 1);
    append_json_number(sum, text);
    text += '}';
  }
  if (newer) it->second = std::move(kept);
}

ModelStore::ModelStore(Act act)
    : act_(act),
      faults_(std::make_shared<ModelFaults>()),
      contents_(std::make_shared<Contents>()) {}
ModelStore::~ModelStore() = default;

Result<void> ModelStore::create_missing(const flow::StoreTable& table) {
  const std::lock_guard lock(contents_->mutex);
  const auto it = contents_->tables.find(table.table);
  if (it == contents_->tables.end()) {
    contents_->tables[table.table].shape = table;
    return {};
  }
  if (!same_shape(it->second.shape, table))
    return fail("S002"_code, fmt::format("table \"{}\" has another key", table.table));
  bool wider = false;
  for (const avro::Field& field : table.schema->root().fields) {
    const avro::Field* there = it->second.shape.schema->root().field(field.name);
    wider = wider || there == nullptr;
    if (there != nullptr &&
        avro::slot_shape(*there->type).kind != avro::slot_shape(*field.type).kind)
      return fail("S002"_code, fmt::format("table \"{}\" has a column \"{}\" of another type",
                                           table.table, field.name));
  }
  if (wider) it->second.shape.schema = table.schema;
  return {};
}

Result<flow::StoreState> ModelStore::state(const flow::StoreSpec& spec) {
  const std::lock_guard lock(contents_->mutex);
  flow::StoreState state;
  for (const auto& [key, position] : contents_->positions) {
    if (std::get<0>(key) != spec.pipeline || std::get<2>(key) != spec.store) continue;
    if (!spec.stage.empty() && std::get<1>(key) != spec.stage) continue;
    state.positions.push_back({position.topic, std::get<4>(key), position.next, position.fates});
  }
  if (const auto it = contents_->tables.find(spec.table.table); it != contents_->tables.end())
    state.rows = it->second.appended.size() + it->second.by_key.size();
  return state;
}

std::vector<ModelRow> ModelStore::rows(std::string_view table) const {
  const std::lock_guard lock(contents_->mutex);
  std::vector<ModelRow> rows;
  const auto it = contents_->tables.find(table);
  if (it == contents_->tables.end()) return rows;
  for (const auto& kept : it->second.appended) rows.push_back(kept.row);
  for (const auto& [key, kept] : it->second.by_key) rows.push_back(kept.row);
  return rows;
}

namespace {

bool has_value(std::string_view row, const flow::RowFilter& filter) {
  for (const std::string_view quote : {"\"", ""}) {
    for (const char end : {',', '}'}) {
      const std::string text =
          fmt::format("\"{}\":{}{}{}{}", filter.field, quote, filter.value, quote, end);
      if (row.find(text) != std::string_view::npos) return true;
    }
  }
  return false;
}

}  // namespace

Result<std::vector<std::string>> ModelStore::newest(const flow::StoreTable& table, uint32_t limit,
                                                    const std::optional<flow::RowFilter>& of) {
  std::vector<ModelRow> all = rows(table.table);
  if (of) std::erase_if(all, [&](const ModelRow& row) { return !has_value(row.text, *of); });
  std::sort(all.begin(), all.end(),
            [](const ModelRow& a, const ModelRow& b) { return a.written_at > b.written_at; });
  std::vector<std::string> texts;
  for (size_t i = 0; i < all.size() && i < limit; ++i) texts.push_back(std::move(all[i].text));
  return texts;
}

uint32_t ModelStore::open_epochs() const {
  const std::lock_guard lock(contents_->mutex);
  return contents_->open_epochs;
}

}  // namespace penstock::store
