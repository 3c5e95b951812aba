#include "bundle/bundle.h"
#include "bundle/path_text.h"
#include "file/digest.h"
#include "file/secret/secret.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

namespace penstock::bundle {
namespace {

// Settings that name files beside the pipeline file; a private one may not go into a bundle.
struct Named {
  std::string_view field;
  std::string_view private_cure = {};  // of a private one
};
using NamedFields = std::span<const Named>;
constexpr Named kOfLog[] = {{"ca"}, {"certificate"}, {"key", "write key: \"${secret:name}\""}};
constexpr Named kOfPostgres[] = {
    {"ca"}, {"certificate"}, {"key_file", "write key_file: \"${secret:name}\""}};
constexpr Named kOfRedshift[] = {{"ca"}};
constexpr Named kOfRegistry[] = {
    {"ca"}, {"certificate"}, {"key", "log in by token, or by user and password, from a secret"}};

NamedFields files_of(std::string_view store) {
  if (store == "postgres") return kOfPostgres;
  if (store == "redshift") return kOfRedshift;
  return {};
}

class Collector {
 public:
  Collector(const plan::Plan& plan, const ReadFile& read_file)
      : plan_(plan), read_file_(read_file) {}

  Result<void> add_tables() {
    for (const plan::Table& table : plan_.tables) {
      for (const char* kind : {"csv", "jsonl"}) {
        if (table.config->find(kind) == nullptr) continue;
        PENSTOCK_TRY_VOID(add_table(table, kind));
      }
      if (table.config->find("schema") != nullptr) {
        PENSTOCK_TRY_VOID(add(*table.config, "schema"));
      }
    }
    return {};
  }

  // The files of the log's, the stores' and the registries' settings.
  Result<void> add_settings() {
    if (plan_.log.part != "embedded") {
      PENSTOCK_TRY_VOID(add_named(plan_.log.config.get(), kOfLog));
    }
    for (const plan::Store& store : plan_.stores) {
      PENSTOCK_TRY_VOID(add_named(store.config.get(), files_of(store.part)));
      PENSTOCK_TRY_VOID(add_named(store.target_config.get(), files_of(store.part)));
    }
    for (const plan::RegistryUse& registry : plan_.registries) {
      PENSTOCK_TRY_VOID(add_named(registry.config.get(), kOfRegistry));
    }
    return {};
  }

  std::map<std::string, std::string> texts;  // by the path as it is opened
  std::vector<TableFile> tables;

 private:
  Result<void> add_named(const flow::Config* config, NamedFields fields) {
    if (config == nullptr) return {};
    for (const Named& named : fields) {
      const yaml::Node* node = config->find(named.field);
      if (node == nullptr || node->kind != yaml::NodeKind::scalar) continue;
      if (node->text.starts_with("-----BEGIN") || node->text.starts_with("${")) continue;
      if (!named.private_cure.empty()) {
        return fail("B002"_code, fmt::format("\"{}\" names a private key", named.field))
            .because("whoever can read a bundle could read the key")
            .cure(std::string(named.private_cure))
            .at(config->place(*node));
      }
      PENSTOCK_TRY_VOID(add(*config, named.field));
    }
    return {};
  }

  Result<std::string> text_of(const flow::Config& config, std::string_view field) {
    auto text = read_file_(file::beside_file(config, config.text(field)));
    if (!text && text.error().place.line == 0) text.error().place = config.place(field);
    return text;
  }

  Result<void> add(const flow::Config& config, std::string_view field) {
    PENSTOCK_TRY(text, text_of(config, field));
    texts[file::beside_file(config, config.text(field))] = std::move(text);
    return {};
  }

  Result<void> add_table(const plan::Table& table, std::string_view kind) {
    const std::string path = file::beside_file(*table.config, table.config->text(kind));
    PENSTOCK_TRY(text, text_of(*table.config, kind));
    const bool is_inline = text.size() <= kInlineBytes - std::min(kInlineBytes, inline_bytes_);
    tables.push_back({table.name, path, text.size(), file::sha256_hex(text), is_inline});
    if (!is_inline) return {};
    inline_bytes_ += text.size();
    texts[path] = std::move(text);
    return {};
  }

  const plan::Plan& plan_;
  const ReadFile& read_file_;
  size_t inline_bytes_ = 0;
};

}  // namespace

Result<Files> collect(const plan::Plan& plan,
                      const std::map<std::string, std::string>& read_by_check,
                      const ReadFile& read_file, std::string_view current_folder) {
  Collector found(plan, read_file);
  found.texts = read_by_check;
  PENSTOCK_TRY_VOID(found.add_tables());
  PENSTOCK_TRY_VOID(found.add_settings());
  const auto whole = [&](const std::string& path) { return paths::whole(current_folder, path); };
  std::vector<std::string> all = {whole(plan.file)};
  for (const auto& [path, text] : found.texts) all.push_back(whole(path));
  for (const TableFile& table : found.tables) all.push_back(whole(table.path));
  const std::string folder = paths::common_folder(all);
  const auto inside = [&](const std::string& path) { return paths::inside(whole(path), folder); };
  Files files;
  files.pipeline = inside(plan.file);
  for (auto& [path, text] : found.texts) files.texts[inside(path)] = std::move(text);
  for (TableFile& table : found.tables) {
    table.path = inside(table.path);
    files.tables.push_back(std::move(table));
  }
  return files;
}

}  // namespace penstock::bundle
