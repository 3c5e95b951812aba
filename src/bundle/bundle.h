// bundle.h — a pipeline in one file: its plan for a target, what a cluster needs to know, and every
// file that it reads, with a checksum over all.
//
// The same files give the same bytes: nothing of the environment goes in. References stay
// references: ${env:NAME} is looked up where the bundle runs, and a secret is never in it.
//
//   {"penstock_bundle":1, "sha256":…, "made_by":…, "pipeline":…, "target":…, "plan_hash":…,
//    "environment":[{"name","fallback"}], "secrets":[name], "tables":[{"name","path","size_bytes",
//    "sha256","inline"}], "deploy":{…}, "plan":{…}, "file":path, "files":{path: text}}
//
// sha256 is over the compact text of the object without it. Paths are relative to the deepest
// folder that holds them all.
//
// Thread      free functions.
// Limits      a table of more than kInlineBytes stays outside (inline false), and so do tables that
//             together would have more; a whole bundle has at most kMaxBytes. A ConfigMap of
//             Kubernetes takes kConfigMapBytes.
// Errors      B001 damaged or none, B002 a file that cannot go in, B003 too large.
//
//     PENSTOCK_TRY(files, bundle::collect(plan, texts, read_file, "/at/me"));
//     PENSTOCK_TRY(text, bundle::write(plan, files, "penstock 0.3"));
//     PENSTOCK_TRY(opened, bundle::read(text, "article.json"));
#pragma once

#include "base/error.h"
#include "plan/plan.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::bundle {

inline constexpr size_t kInlineBytes = 512 << 10;
inline constexpr size_t kConfigMapBytes = 1'000'000;  // of its 1 MiB the name and labels take some
inline constexpr size_t kMaxBytes = 16 << 20;

struct TableFile {
  std::string name, path;
  uint64_t size_bytes = 0;
  std::string sha256;
  bool is_inline = true;
};

struct Files {
  std::string pipeline;                      // the pipeline file's path, a key of `texts`
  std::map<std::string, std::string> texts;  // path -> text
  std::vector<TableFile> tables;
};

// A file by its path, whole; B002 or P001 with the path.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;
// Every file that the plan names. `read_by_check` are those that plan::check() read: the pipeline
// file and its schemas, path -> text. Relative paths begin at `current_folder`.
Result<Files> collect(const plan::Plan& plan,
                      const std::map<std::string, std::string>& read_by_check,
                      const ReadFile& read_file, std::string_view current_folder);

// One line of text, with its end.
Result<std::string> write(const plan::Plan& plan, const Files& files, std::string_view made_by);

struct Opened {
  std::string pipeline, target, sha256;
  Files files;
};
// Whether a text begins as a bundle does (its first 64 bytes are enough).
bool is_bundle(std::string_view text);
Result<Opened> read(std::string_view text, const std::string& path);

}  // namespace penstock::bundle
