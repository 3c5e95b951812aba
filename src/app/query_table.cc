#include "app/query_table.h"

#include "file/table.h"
#include "flow/config_values.h"
#include "store/postgres/part.h"
#include "store/postgres/query.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::app {

Result<flow::MakeContext::TableShape> QueryTable::shape(const flow::Config& config,
                                                        const std::string& folder) {
  PENSTOCK_TRY(spec, file::table_spec(config, folder));
  if (spec.schema == nullptr) {
    if (spec.types.empty()) {
      return fail("F004"_code, "nothing says which columns the query has")
          .at(config.place("postgres"))
          .cure("add types: {column: type, …}, or schema:");
    }
    std::vector<avro::NewField> fields;
    std::vector<avro::SchemaPtr> kept;
    for (const auto& [name, text] : spec.types) {
      PENSTOCK_TRY(type, avro::parse(text.starts_with('{') ? text : '"' + text + '"'));
      kept.push_back(type);
      fields.push_back({name, &kept.back()->root(), ""});
    }
    PENSTOCK_TRY(schema, avro::make_record("penstock.TableRow", fields));
    spec.schema = schema;
  }
  for (const std::string& part : spec.key) {
    if (spec.schema->root().field(part) != nullptr) continue;
    return fail("F004"_code, fmt::format("there is no column \"{}\"", part))
        .at(config.place("key"));
  }
  return flow::MakeContext::TableShape{spec.schema, spec.key, spec.refresh_millis > 0};
}

Result<std::unique_ptr<QueryTable>> QueryTable::open(const flow::Config& config,
                                                     const std::string& folder) {
  std::unique_ptr<QueryTable> table(new QueryTable);
  PENSTOCK_TRY(shape, QueryTable::shape(config, folder));
  PENSTOCK_TRY(settings, store::postgres::settings_of(config, nullptr));
  table->shape_ = std::move(shape);
  table->settings_ = std::move(settings);
  table->sql_ = config.text("postgres");
  table->rows_max_ =
      static_cast<uint64_t>(flow::count_value(config.text("rows_max", "1000000")).value_or(0));
  table->refresh_millis_ = flow::duration_millis(config.text("refresh")).value_or(0);
  PENSTOCK_TRY(lines, table->ask());
  PENSTOCK_TRY(version, table->version_of(lines));
  table->lines_ = std::move(lines);
  table->current_ = std::move(version);
  return table;
}

QueryTable::~QueryTable() { interrupt_.raise(); }

std::shared_ptr<const flow::TableVersion> QueryTable::current() {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::optional<Error> QueryTable::refresh_if_due(Millis now) {
  if (refresh_millis_ == 0) return std::nullopt;
  if (answer_.valid()) {
    if (answer_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return std::nullopt;
    auto lines = answer_.get();
    if (!lines) return std::move(lines).error();
    if (*lines == lines_) return std::nullopt;
    lines_ = *std::move(lines);  // a bad version is told once
    auto version = version_of(lines_);
    if (!version) return std::move(version).error();
    const std::lock_guard lock(mutex_);
    current_ = *std::move(version);
    return std::nullopt;
  }
  if (!asked_) asked_ = now;
  if (now < *asked_ + refresh_millis_) return std::nullopt;
  asked_ = now;
  answer_ = std::async(std::launch::async, [this] { return ask(); });
  return std::nullopt;
}

Result<std::string> QueryTable::ask() const {
  return store::postgres::query_lines(settings_, sql_, rows_max_, &interrupt_);
}

Result<std::shared_ptr<const flow::TableVersion>> QueryTable::version_of(
    std::string_view lines) const {
  PENSTOCK_TRY(table, file::table_from_jsonl(lines, shape_.schema, shape_.key));
  return table->current();
}

}  // namespace penstock::app
