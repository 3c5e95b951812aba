// The section `schemas:`: files of Avro schemas that may use one another's types by name.
#include "avro/library.h"
#include "plan/draft.h"
#include "plan/schema_place.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <utility>

namespace penstock::plan {
namespace {

constexpr size_t kMaxSchemaBytes = 256 << 10;

struct File {
  std::string name;  // in the section
  std::string full, text;
  enum class State : uint8_t { unread, open, done } state = State::unread;
  avro::SchemaPtr schema = nullptr;  // null once done: something was reported
};

class SchemaFiles {
 public:
  explicit SchemaFiles(Draft& draft) : draft_(draft) {}

  void add(const yaml::Node& name, const yaml::Node& path) {
    if (path.kind != yaml::NodeKind::scalar) {
      draft_.report(fail("P021"_code, fmt::format("schema \"{}\" takes a file's path", name.text)),
                    name);
    } else if (auto file = read(path)) {
      file->name = name.text;
      const auto added = library_.add(path.text, file->text);
      if (!added) report(*file, added.error());
      if (!added) file->state = File::State::done;
      files_.push_back(std::move(*file));
      return;
    }
    draft_.schemas[name.text] = nullptr;
  }

  void make() {
    for (uint32_t at = 0; at < files_.size(); ++at) draft_.schemas[files_[at].name] = schema(at);
  }

 private:
  std::optional<File> read(const yaml::Node& path) {
    const bool beside = draft_.plan->folder.empty() || path.text.starts_with('/');
    std::string full = beside ? path.text : draft_.plan->folder + "/" + path.text;
    auto text = draft_.options.read_file(full, kMaxSchemaBytes);
    if (text) return File{.name = {}, .full = std::move(full), .text = std::move(*text)};
    const bool large = text.error().code == "P003"_code;
    draft_.report(fail(large ? "A004"_code : "P037"_code,
                       large ? fmt::format("{} has more than 256 KiB", full)
                             : fmt::format("there is no schema file {}", full)),
                  path);
    return std::nullopt;
  }

  // Null: it, or one whose types it uses, has an error that was told.
  avro::SchemaPtr schema(uint32_t at) {
    File& file = files_[at];
    if (file.state == File::State::unread) {
      file.state = File::State::open;
      file.schema = parse(at);
      file.state = File::State::done;
    }
    return file.schema;
  }

  avro::SchemaPtr parse(uint32_t at) {
    std::set<uint32_t> uses;
    const auto whole = library_.whole(at, &uses);
    bool sound = true;
    for (const uint32_t other : uses) {
      draft_.schemas_within.insert(files_[other].name);
      // Files that use one another are parsed within each other.
      if (files_[other].state != File::State::open && schema(other) == nullptr) sound = false;
    }
    auto schema = whole ? avro::parse(*whole) : std::unexpected(whole.error());
    if (schema) return std::move(*schema);
    if (sound) report(files_[at], std::move(schema).error());
    return nullptr;
  }

  void report(const File& file, Error error) {
    if (error.message.find("JSON") != std::string::npos) error.code = "P038"_code;
    if (error.message.starts_with("unknown type"))
      error.cure = "define it before it is used, or list the file that defines it under schemas:";
    if (error.place.line == 0) error.place = schema_place(file.full, file.text, error.message);
    error.place.file = file.full;
    draft_.report(std::move(error));
  }

  Draft& draft_;
  avro::Library library_;
  std::vector<File> files_;
};

}  // namespace

void read_schemas(Draft& draft) {
  const yaml::Node* schemas = draft.section("schemas");
  if (schemas == nullptr) return;
  SchemaFiles files(draft);
  for (const auto& [name, path] : schemas->entries) files.add(name, path);
  files.make();
}

}  // namespace penstock::plan
