#include "app/embedded_files.h"
#include "app/templates.h"
#include "app/verbs.h"
#include "base/suggest.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace penstock::app {
namespace {

Result<void> write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return fail("U003"_code, fmt::format("cannot write {}", path.string()));
  return {};
}

}  // namespace

std::vector<std::string_view> template_names() {
  std::set<std::string_view> names;
  for (const EmbeddedFile& file : embedded_files())
    names.insert(file.name.substr(0, file.name.find('/')));
  return {names.begin(), names.end()};
}

Result<void> write_template(std::string_view name, const std::string& folder) {
  const std::string prefix = fmt::format("{}/", name);
  for (const EmbeddedFile& file : embedded_files()) {
    if (!file.name.starts_with(prefix)) continue;
    PENSTOCK_TRY_VOID(
        write_file(std::filesystem::path(folder) / file.name.substr(prefix.size()), file.bytes));
  }
  return {};
}

Result<int> init(const Options& options, ops::Output& output) {
  const std::string name = options.inputs.size() == 2 ? options.inputs[0] : "meters";
  const std::string& folder = options.inputs.back();
  const auto names = template_names();
  if (std::ranges::find(names, name) == names.end()) {
    return fail("U002"_code, fmt::format("there is no template \"{}\"", name))
        .hint(did_you_mean(name, names))
        .cure(fmt::format("take one of: {}", fmt::join(names, ", ")));
  }
  std::error_code error;
  if (std::filesystem::exists(folder, error) && !std::filesystem::is_empty(folder, error)) {
    return fail("U005"_code, fmt::format("{} is not empty", folder));
  }
  PENSTOCK_TRY_VOID(write_template(name, folder));
  output.out(
      fmt::format("{}: a pipeline from the template \"{}\"\n\n  penstock check {}\n  penstock test "
                  "{}\n  penstock run {}\n",
                  folder, name, folder, folder, folder));
  return 0;
}

}  // namespace penstock::app
