#include "app/options_text.h"

#include "app/load.h"
#include "app/version.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <filesystem>

namespace penstock::app {
namespace {

// Calls `f(name, member)` for every option that a verb run by the owner may use.
template <class O, class F>
void each_option(O& options, F f) {
  f("verb", options.verb);
  f("target", options.target);
  f("stage", options.stage);
  f("to", options.to);
  f("format", options.format);
  f("codec", options.codec);
  f("limit", options.limit);
  f("grace", options.grace_millis);
  f("rate", options.rate_per_second);
  f("again", options.again);
  f("raw", options.raw);
  f("skip_bad", options.skip_bad);
  f("follow", options.follow);
}

void put(std::string& out, std::string_view name, std::string_view value) {
  out += fmt::format("{}={}", name, value);
  out.push_back('\0');
}

bool parse(std::string_view text, std::string& to) {
  to = text;
  return true;
}
template <class T>
bool parse_number(std::string_view text, T& to) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), to);
  return end.ec == std::errc() && end.ptr == text.data() + text.size();
}
bool parse(std::string_view text, int64_t& to) { return parse_number(text, to); }
bool parse(std::string_view text, double& to) {
  return parse_number(text, to) && std::isfinite(to);
}
bool parse(std::string_view text, bool& to) {
  to = text == "1";
  return text == "0" || text == "1";
}
bool parse(std::string_view text, Format& to) {
  int64_t number = 0;
  if (!parse_number(text, number) || number < 0 || number > static_cast<int64_t>(Format::avro))
    return false;
  to = static_cast<Format>(number);
  return true;
}

std::string text_of(const std::string& value) { return value; }
std::string text_of(int64_t value) { return std::to_string(value); }
std::string text_of(double value) { return fmt::format("{}", value); }
std::string text_of(bool value) { return value ? "1" : "0"; }
std::string text_of(Format value) { return std::to_string(static_cast<int>(value)); }

bool take(Options& options, std::string_view name, std::string_view value) {
  if (name == "file") {
    options.files.emplace_back(value);
    return true;
  }
  if (name == "input") {
    options.inputs.emplace_back(value);
    return true;
  }
  bool taken = false;
  each_option(options, [&](std::string_view known, auto& member) {
    if (known == name) taken = parse(value, member);
  });
  return taken;
}

}  // namespace

std::string options_to_text(const Options& options) {
  std::string out;
  put(out, "version", kVersion);
  each_option(options,
              [&](std::string_view name, const auto& member) { put(out, name, text_of(member)); });
  for (const std::string& file : options.files) {
    put(out, "file", std::filesystem::absolute(pipeline_path(file)).string());
  }
  for (const std::string& input : options.inputs) {
    put(out, "input", options.verb == "send" ? std::filesystem::absolute(input).string() : input);
  }
  return out;
}

std::optional<Options> options_from_text(std::string_view text) {
  Options options;
  bool same_version = false;
  while (!text.empty()) {
    const size_t end = text.find('\0');
    const size_t equals = text.find('=');
    if (end == std::string_view::npos || equals == std::string_view::npos || equals > end)
      return std::nullopt;
    const std::string_view name = text.substr(0, equals);
    const std::string_view value = text.substr(equals + 1, end - equals - 1);
    text.remove_prefix(end + 1);
    if (name == "version") {
      same_version = value == kVersion;
    } else if (!take(options, name, value)) {
      return std::nullopt;
    }
  }
  if (!same_version || options.files.empty()) return std::nullopt;
  return options;
}

}  // namespace penstock::app
