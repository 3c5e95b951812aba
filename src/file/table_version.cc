#include "file/table_version.h"

#include "avro/plan.h"
#include "flow/key_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::file {
namespace {

// What is an input's affair for `send` is the pipeline's for a table.
Error as_table(Error error) {
  if (error.code == "F002"_code || error.code == "F006"_code) error.code = "F004"_code;
  return error;
}

// A cell without text names nothing.
bool has_empty(const row::Batch& batch, const std::vector<uint32_t>& slots, uint32_t row) {
  return std::any_of(slots.begin(), slots.end(), [&](uint32_t slot) {
    const row::Column& column = batch.columns[slot];
    return column.kind == row::Kind::string && column.views[row].empty();
  });
}

}  // namespace

Result<std::shared_ptr<const FileTableVersion>> FileTableVersion::make(
    std::string_view text, const std::string& name, Format format, avro::SchemaPtr schema,
    const std::vector<std::string>& key) {
  auto made = std::make_shared<FileTableVersion>();
  made->schema_ = schema;
  auto opened = RowText::open(text, name, format, schema);
  if (!opened) return std::unexpected(as_table(std::move(opened).error()));
  RowText& rows = *opened;
  std::vector<size_t> starts;
  std::vector<uint32_t> lines;
  while (true) {
    PENSTOCK_TRY(more, rows.next());
    if (!more) break;
    starts.push_back(made->datums_.size());
    lines.push_back(rows.line());
    if (auto fits = rows.encode(made->datums_); !fits)
      return std::unexpected(as_table(std::move(fits).error()));
  }
  std::vector<avro::Want> wants;
  for (uint32_t i = 0; i < schema->root().fields.size(); ++i) wants.push_back({i, i});
  PENSTOCK_TRY(plan, avro::DecodePlan::compile(schema, schema, wants, {}));
  made->records_.resize(starts.size());
  std::vector<ByteView> payloads(starts.size());
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t end = i + 1 < starts.size() ? starts[i + 1] : made->datums_.size();
    payloads[i] = std::string_view(made->datums_).substr(starts[i], end - starts[i]);
    made->batch_.live.push_back(static_cast<uint32_t>(i));
  }
  made->batch_.records = made->records_;
  made->batch_.columns.resize(wants.size());
  made->batch_.arena = &made->arena_;
  plan.decode(payloads, made->batch_);
  if (!made->batch_.rejects.empty())
    return fail("F004"_code, fmt::format("{}: {}", name, made->batch_.rejects[0].detail));
  PENSTOCK_TRY_VOID(made->index(key, name, lines));
  return made;
}

Result<void> FileTableVersion::index(const std::vector<std::string>& key, const std::string& name,
                                     const std::vector<uint32_t>& lines) {
  std::vector<uint32_t> slots;
  const std::vector<avro::Field>& fields = schema_->root().fields;
  for (const std::string& part : key) {
    uint32_t field = 0;
    while (field < fields.size() && fields[field].name != part) ++field;
    if (field == fields.size() || !flow::can_be_key(avro::slot_shape(*fields[field].type).kind))
      return fail("F004"_code, fmt::format("{}: \"{}\" cannot be the table's key", name, part));
    slots.push_back(field);
  }
  if (slots.empty()) return {};
  index_.reserve(rows());
  std::string text;
  for (uint32_t row = 0; row < rows(); ++row) {
    text.clear();
    const Place place{name, lines[row], 1, 1, ""};
    if (has_empty(batch_, slots, row) || !flow::append_key(batch_, slots, row, text))
      return fail("F004"_code, "the key is empty").at(place);
    if (!index_.emplace(arena_.copy(text), row).second)
      return fail("F004"_code, fmt::format("the key \"{}\" occurs twice", text)).at(place);
  }
  return {};
}

}  // namespace penstock::file
