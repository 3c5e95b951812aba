#include "app/load.h"

#include "app/parts.h"
#include "app/query_table.h"
#include "app/read_text.h"
#include "app/unpack.h"
#include "file/table.h"
#include "meter/meter_source.h"

#include <filesystem>

namespace penstock::app {

std::string pipeline_path(const std::string& given) {
  std::error_code ignored;
  const std::filesystem::path inside = std::filesystem::path(given) / "pipeline.yaml";
  return std::filesystem::is_regular_file(inside, ignored) ? inside.string() : given;
}

Result<Pipeline> pipeline_of(const Options& options) {
  const std::string path = pipeline_path(options.files.front());
  if (!is_bundle_file(path)) return Pipeline{path, options.target};
  PENSTOCK_TRY(unpacked, unpack_bundle(path, options.target, data_folder(options)));
  return Pipeline{std::move(unpacked.file), std::move(unpacked.target)};
}

std::expected<std::shared_ptr<const plan::Plan>, int> load(const Options& options,
                                                           ops::Output& output, bool warnings) {
  const Result<Pipeline> given = pipeline_of(options);
  if (!given) {
    output.note(render(given.error()));
    return std::unexpected(exit_code(given.error()));
  }
  plan::Checked checked = plan::check(given->file, parts(), check_options(given->target));
  if (warnings) {
    for (const Error& warning : checked.warnings) output.note(render(warning, "warning"));
  }
  for (const Error& error : checked.errors) output.note(render(error));
  if (!checked.plan)
    return std::unexpected(checked.errors.empty() ? 78 : exit_code(checked.errors.front()));
  return checked.plan;
}

plan::CheckOptions check_options(const std::string& target) {
  plan::CheckOptions options;
  options.target = target;
  options.table_shape = [](const flow::PartSpec& part, const flow::Config& config,
                           const std::string& folder) {
    return part.name == "postgres" ? QueryTable::shape(config, folder)
                                   : file::table_shape(part, config, folder);
  };
  options.producer_fits = meter::check_producer;
  options.read_file = read_text;
  return options;
}

std::string data_folder(const Options& options) {
  std::filesystem::path chosen = options.data_dir;
  if (chosen.empty()) {
    chosen =
        std::filesystem::path(pipeline_path(options.files.front())).parent_path() / ".penstock";
  }
  return std::filesystem::absolute(chosen).lexically_normal().string();
}

}  // namespace penstock::app
