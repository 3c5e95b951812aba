// bundle FILE -t TARGET: a pipeline in one file, for pods, the chart and Terraform.
#include "app/load.h"
#include "app/parts.h"
#include "app/read_text.h"
#include "app/verbs.h"
#include "app/version.h"
#include "bundle/bundle.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

namespace penstock::app {
namespace {

constexpr size_t kLargestTableBytes = 1 << 30;

void tell(const bundle::Files& files, size_t size_bytes, ops::Output& output) {
  for (const bundle::TableFile& table : files.tables) {
    if (table.is_inline) continue;
    output.note(fmt::format(
        "table {} ({} bytes) stays outside: give it by a volume, as $PENSTOCK_TABLES/{}\n",
        table.name, table.size_bytes, table.path));
  }
  if (size_bytes > bundle::kConfigMapBytes) {
    output.note(fmt::format(
        "the bundle has {} bytes: a ConfigMap of Kubernetes takes {}; make tables larger than {} "
        "bytes, which stay outside, or the schemas smaller\n",
        size_bytes, bundle::kConfigMapBytes, bundle::kInlineBytes));
  }
}

}  // namespace

Result<int> bundle_verb(const Options& options, ops::Output& output) {
  std::map<std::string, std::string> texts;
  PENSTOCK_TRY(given, pipeline_of(options));
  plan::CheckOptions how = check_options(given.target);
  how.keep_references = true;
  how.read_file = [&](const std::string& path, size_t limit_bytes) {
    auto text = read_text(path, limit_bytes);
    if (text) texts[path] = *text;
    return text;
  };
  const plan::Checked checked = plan::check(given.file, parts(), how);
  for (const Error& warning : checked.warnings) output.note(render(warning, "warning"));
  for (const Error& error : checked.errors) output.note(render(error));
  if (!checked.plan) {
    return checked.errors.empty() ? 78 : exit_code(checked.errors.front());
  }
  PENSTOCK_TRY(files,
               bundle::collect(
                   *checked.plan, texts,
                   [](const std::string& path) { return read_text(path, kLargestTableBytes); },
                   std::filesystem::current_path().string()));
  PENSTOCK_TRY(text, bundle::write(*checked.plan, files, kVersionText));
  tell(files, text.size(), output);
  output.out(text);
  return 0;
}

}  // namespace penstock::app
