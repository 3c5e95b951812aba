#include "bundle/bundle.h"

#include "bundle/deploy.h"
#include "bundle/object.h"
#include "bundle/path_text.h"
#include "file/digest.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace penstock::bundle {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kMark = "penstock_bundle";
constexpr int kVersion = 1;

std::string compact(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string checksum(Json value) {
  value.erase("sha256");
  return file::sha256_hex(compact(value));
}

Json environment_json(const plan::Plan& plan) {
  Json all = Json::array();
  std::vector<std::string> seen;
  for (const plan::Reference& one : plan.environment) {
    if (std::ranges::find(seen, one.name) != seen.end()) continue;
    seen.push_back(one.name);
    all.push_back({{"name", one.name}, {"fallback", one.fallback ? Json(*one.fallback) : Json()}});
  }
  return all;
}

Json tables_json(const Files& files) {
  Json all = Json::array();
  for (const TableFile& table : files.tables) {
    all.push_back({{"name", table.name},
                   {"path", table.path},
                   {"size_bytes", table.size_bytes},
                   {"sha256", table.sha256},
                   {"inline", table.is_inline}});
  }
  return all;
}

Json files_json(const Files& files) {
  Json all = Json::object();
  for (const auto& [path, text] : files.texts) all[path] = text;
  return all;
}

Failure damaged(const std::string& path, std::string_view why) {
  return fail("B001"_code, fmt::format("{} is no whole bundle: {}", path, why));
}

// Nobody nests a bundle deeper than its plan is; printing goes down as deep as the text does.
bool is_deep(std::string_view text) {
  constexpr int kDeepest = 200;
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

// A member of the right type, or B001.
class Reader {
 public:
  Reader(const Json& json, const std::string& path) : json_(json), path_(path) {}

  Result<std::string> text(const char* name) const {
    const auto at = json_.find(name);
    if (at == json_.end() || !at->is_string())
      return damaged(path_, fmt::format("\"{}\" is no text", name));
    return at->get<std::string>();
  }
  Result<const Json*> object(const char* name, Json::value_t type) const {
    const auto at = json_.find(name);
    if (at == json_.end() || at->type() != type)
      return damaged(path_, fmt::format("\"{}\" is missing, or of another type", name));
    return &*at;
  }

 private:
  const Json& json_;
  const std::string& path_;
};

Result<void> read_texts(const Json& json, const std::string& path, Files& files) {
  const Reader reader(json, path);
  PENSTOCK_TRY(texts, reader.object("files", Json::value_t::object));
  for (const auto& [name, text] : texts->items()) {
    if (!paths::stays_inside(name) || !text.is_string())
      return damaged(path, fmt::format("{} is no file of it", penstock::quoted(name)));
    files.texts[name] = text.get<std::string>();
  }
  PENSTOCK_TRY(pipeline, reader.text("file"));
  if (!files.texts.contains(pipeline)) return damaged(path, "the pipeline file is missing");
  files.pipeline = std::move(pipeline);
  return {};
}

Result<void> read_tables(const Json& json, const std::string& path, Files& files) {
  PENSTOCK_TRY(tables, Reader(json, path).object("tables", Json::value_t::array));
  for (const Json& one : *tables) {
    if (!one.is_object()) return damaged(path, "a table that is none");
    const Reader reader(one, path);
    TableFile table;
    PENSTOCK_TRY(name, reader.text("name"));
    PENSTOCK_TRY(inside, reader.text("path"));
    PENSTOCK_TRY(sum, reader.text("sha256"));
    table.name = std::move(name);
    table.path = std::move(inside);
    table.sha256 = std::move(sum);
    table.size_bytes = one.value("size_bytes", uint64_t{0});
    table.is_inline = files.texts.contains(table.path);
    if (!paths::stays_inside(table.path)) return damaged(path, "a table outside of it");
    files.tables.push_back(std::move(table));
  }
  return {};
}

}  // namespace

Result<std::string> write(const plan::Plan& plan, const Files& files, std::string_view made_by) {
  Json out;
  out[std::string(kMark)] = kVersion;
  out["sha256"] = "";
  out["made_by"] = made_by;
  out["pipeline"] = plan.pipeline;
  out["target"] = plan.target;
  out["plan_hash"] = plan::hash(plan);
  out["environment"] = environment_json(plan);
  out["secrets"] = plan.secrets;
  out["tables"] = tables_json(files);
  out["deploy"] = Json::parse(deploy_json(plan, files.pipeline), nullptr, false);
  out["plan"] = Json::parse(plan::to_json(plan), nullptr, false);
  out["file"] = files.pipeline;
  out["files"] = files_json(files);
  out["sha256"] = checksum(out);
  std::string text = compact(out) + "\n";
  if (text.size() > kMaxBytes) {
    return fail("B003"_code, fmt::format("the bundle has {} bytes, at most {} are allowed",
                                         text.size(), kMaxBytes));
  }
  return text;
}

bool is_bundle(std::string_view text) {
  text = text.substr(0, 64);
  const size_t brace = text.find_first_not_of(" \t\r\n");
  return brace != std::string_view::npos && text[brace] == '{' &&
         text.find("\"penstock_bundle\"") != std::string_view::npos;
}

Result<Opened> read(std::string_view text, const std::string& path) {
  if (is_deep(text)) return damaged(path, "it is nested too deep");
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return damaged(path, "it is no JSON object");
  const auto version = json.find(kMark);
  if (version == json.end() || *version != kVersion) {
    return damaged(path, "its version is another").cure("make it anew: penstock bundle FILE -t T");
  }
  const Reader reader(json, path);
  Opened opened;
  PENSTOCK_TRY(sum, reader.text("sha256"));
  if (sum != checksum(json)) return damaged(path, "its checksum does not fit");
  PENSTOCK_TRY(pipeline, reader.text("pipeline"));
  PENSTOCK_TRY(target, reader.text("target"));
  opened.sha256 = std::move(sum);
  opened.pipeline = std::move(pipeline);
  opened.target = std::move(target);
  PENSTOCK_TRY_VOID(read_texts(json, path, opened.files));
  PENSTOCK_TRY_VOID(read_tables(json, path, opened.files));
  return opened;
}

}  // namespace penstock::bundle
