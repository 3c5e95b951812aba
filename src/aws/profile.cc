#include "aws/profile.h"

#include "base/secret.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::aws {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
  });
  return out;
}

std::string_view unquoted(std::string_view text) {
  const bool quotes = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.front() == text.back();
  return quotes ? text.substr(1, text.size() - 2) : text;
}

// A comment after a value needs a blank before it.
std::string_view without_comment(std::string_view text) {
  for (const std::string_view sign : {" #", " ;", "\t#", "\t;"}) {
    text = text.substr(0, text.find(sign));
  }
  return trimmed(text);
}

class Parser {
 public:
  Parser(std::string_view file, bool credentials, Profiles& into)
      : file_(file), credentials_(credentials), into_(into) {}

  Result<void> line(std::string_view text) {
    ++number_;
    const bool indented = !text.empty() && (text.front() == ' ' || text.front() == '\t');
    text = trimmed(text);
    if (text.empty() || text.front() == '#' || text.front() == ';') return {};
    if (text.front() == '[' && !indented) return head(without_comment(text));
    return entry(text, indented);
  }

 private:
  Failure wrong(std::string_view what) const {
    return fail("W002"_code, fmt::format("{}: line {} {}", file_, number_, what))
        .cure("write [section] and key = value");
  }

  Result<void> head(std::string_view text) {
    key_.clear();
    section_ = nullptr;
    headed_ = true;
    if (!text.ends_with(']')) return wrong("opens a section and does not close it");
    std::string_view name = trimmed(text.substr(1, text.size() - 2));
    if (credentials_ || name == "default") {
      section_ = &into_.profiles[std::string(name)];
      return {};
    }
    const size_t blank = std::min(name.find_first_of(kBlanks), name.size());
    const std::string_view kind = name.substr(0, blank);
    name = unquoted(trimmed(name.substr(blank)));
    if (kind == "profile") section_ = &into_.profiles[std::string(name)];
    if (kind == "services") section_ = &into_.services[std::string(name)];
    return {};  // other sections are not ours
  }

  Result<void> entry(std::string_view text, bool indented) {
    const size_t equals = text.find('=');
    if (!headed_) return wrong("stands before any [section]");
    // An indented line belongs to the key above; without = it goes on with a value of no use here.
    if (indented && !key_.empty()) {
      if (section_ != nullptr && equals != std::string_view::npos) {
        (*section_)[key_ + "." + lowered(trimmed(text.substr(0, equals)))] =
            without_comment(text.substr(equals + 1));
      }
      return {};
    }
    if (equals == std::string_view::npos || equals == 0) return wrong("is not key = value");
    key_ = lowered(trimmed(text.substr(0, equals)));
    if (section_ != nullptr) (*section_)[key_] = without_comment(text.substr(equals + 1));
    return {};
  }

  std::string_view file_;
  bool credentials_;
  Profiles& into_;
  Section* section_ = nullptr;
  bool headed_ = false;
  std::string key_;
  size_t number_ = 0;
};

std::string path_of(const Surroundings& here, const std::string& variable, std::string_view file) {
  std::string path = here.variable(variable).value_or(fmt::format("~/.aws/{}", file));
  if (path.starts_with("~/")) path = here.home + path.substr(1);
  return path;
}

}  // namespace

const Section* Profiles::find(std::string_view profile) const {
  const auto found = profiles.find(profile);
  return found == profiles.end() ? nullptr : &found->second;
}

Result<void> parse_profiles(std::string_view text, std::string_view file, bool credentials,
                            Profiles& into) {
  Parser parser(file, credentials, into);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    PENSTOCK_TRY_VOID(parser.line(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Result<Profiles> load_profiles(const Surroundings& here) {
  Profiles profiles;
  const std::string config = path_of(here, "AWS_CONFIG_FILE", "config");
  if (auto text = here.read(config)) {
    PENSTOCK_TRY_VOID(parse_profiles(*text, config, false, profiles));
  }
  const std::string credentials = path_of(here, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  if (auto text = here.read(credentials)) {
    PENSTOCK_TRY_VOID(parse_profiles(*text, credentials, true, profiles));
    wipe(*text);
  }
  return profiles;
}

std::string profile_name(const Surroundings& here) {
  if (auto name = here.variable("AWS_PROFILE")) return *name;
  return here.variable("AWS_DEFAULT_PROFILE").value_or("default");
}

std::string_view value_of(const Section* section, std::string_view key) {
  if (section == nullptr) return {};
  const auto found = section->find(key);
  return found == section->end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace penstock::aws
