#include "file/secret/secret.h"

#include "base/secret.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <utility>

namespace penstock::file {
namespace {

constexpr std::string_view kOpening = "${secret:";

constexpr size_t kMaxSecretBytes = 64 * 1024;

std::optional<std::string> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(kMaxSecretBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad() || text.size() > kMaxSecretBytes) return std::nullopt;
  return text;
}

std::string without_line_end(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

bool is_secret_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && !name.starts_with('.') &&
         std::ranges::all_of(name, [](unsigned char letter) {
           return std::isalnum(letter) != 0 || letter == '_' || letter == '-' || letter == '.';
         });
}

std::string variable_of(std::string_view name) {
  std::string variable = "PENSTOCK_SECRET_";
  for (const char each : name) {
    const auto letter = static_cast<unsigned char>(each);
    variable += std::isalnum(letter) != 0 ? static_cast<char>(std::toupper(letter)) : '_';
  }
  return variable;
}

// The errors of this file must not show its lines.
Result<std::string> secret_of_mapping(const std::string& file, std::string_view name,
                                      const std::string& variable) {
  const auto missing = [&](std::string cause) {
    return fail("L115"_code, fmt::format("there is no secret \"{}\"", name))
        .because(std::move(cause));
  };
  auto text = read_whole(file);
  if (!text) return missing(fmt::format("{} is not set, and {} cannot be read", variable, file));
  const auto document = yaml::parse(std::move(*text), file);
  if (!document || document->root().kind != yaml::NodeKind::mapping) {
    return missing(fmt::format("{} is no mapping of names to texts", file));
  }
  const yaml::Node* found = document->root().find(name);
  if (found == nullptr || found->kind != yaml::NodeKind::scalar) {
    return missing(fmt::format("{} is not set, and {} has no text of that name", variable, file));
  }
  return found->text;
}

}  // namespace

Result<std::string> read_secret(std::string_view name) {
  if (!is_secret_name(name)) {
    return fail("L115"_code, fmt::format("\"{}\" cannot name a secret", name))
        .cure("use letters, digits, _ and -");
  }
  forbid_core_dumps();
  const std::string variable = variable_of(name);
  if (const char* text = std::getenv(variable.c_str()); text != nullptr) return std::string(text);
  const char* named = std::getenv("PENSTOCK_SECRETS");
  if (named == nullptr) {
    return fail("L115"_code, fmt::format("there is no secret \"{}\"", name))
        .because(fmt::format("neither {} nor PENSTOCK_SECRETS is set", variable));
  }
  if (auto text = read_whole(fmt::format("{}/{}", named, name))) {
    return without_line_end(std::move(*text));
  }
  return secret_of_mapping(named, name, variable);
}

bool is_secret(std::string_view text) { return text.starts_with(kOpening) && text.ends_with('}'); }

std::string_view secret_name(std::string_view text) {
  text.remove_prefix(kOpening.size());
  text.remove_suffix(1);
  return text;
}

Result<std::string> text_or_secret(const flow::Config& config, const yaml::Node& node,
                                   const SecretReader& secrets) {
  if (!is_secret(node.text)) return node.text;
  auto secret = secrets(secret_name(node.text));
  if (!secret) secret.error().place = config.place(node);
  return secret;
}

std::string beside_file(const flow::Config& config, const std::string& path) {
  const std::string& file = config.document().file();
  const size_t slash = file.rfind('/');
  if (path.starts_with('/') || slash == std::string::npos) return path;
  return file.substr(0, slash + 1) + path;
}

}  // namespace penstock::file
