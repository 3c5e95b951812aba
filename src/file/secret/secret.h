// secret.h — `${secret:name}` and paths in a part's settings.
//
// A secret stays a reference until the part that needs it asks, so that nothing which prints a plan
// can show it.
//
// Thread      free functions; the environment is not to be changed meanwhile.
// Limits      a secret has at most 64 KiB.
// Errors      L115, which never shows a secret.
//
//     PENSTOCK_TRY(password, file::text_or_secret(config, *node, file::read_secret));
#pragma once

#include "flow/part_spec.h"

#include <functional>
#include <string>
#include <string_view>

namespace penstock::file {

// What `${secret:NAME}` stands for.
using SecretReader = std::function<Result<std::string>(std::string_view name)>;
// The variable PENSTOCK_SECRET_<NAME> (capitals, - and . as _); else what PENSTOCK_SECRETS names:
// a file that is a flat mapping of names to texts, or a folder with a file for each (as Kubernetes
// mounts them; the end of the last line is cut off).
Result<std::string> read_secret(std::string_view name);

bool is_secret(std::string_view text);
// Of a text that is one.
std::string_view secret_name(std::string_view text);
// The node's text, or what it stands for; an error has the node's place.
Result<std::string> text_or_secret(const flow::Config& config, const yaml::Node& node,
                                   const SecretReader& secrets);
// A path as it is meant: relative to the pipeline file.
std::string beside_file(const flow::Config& config, const std::string& path);

}  // namespace penstock::file
