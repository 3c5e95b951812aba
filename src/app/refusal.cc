#include "app/refusal.h"

#include "base/suggest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace penstock::app {
namespace {

using Words = std::vector<std::string>;

std::vector<std::string_view> views(const Words& words) { return {words.begin(), words.end()}; }

// The verbs, or within "schema" what goes with it.
Words verbs_within(const std::string& outer, const std::vector<VerbWords>& verbs) {
  Words names;
  for (const VerbWords& verb : verbs) {
    std::string_view path = verb.path;
    if (!outer.empty()) {
      if (!path.starts_with(outer + " ")) continue;
      path.remove_prefix(outer.size() + 1);
    }
    if (!path.empty() && !path.contains(' ')) names.emplace_back(path);
  }
  return names;
}

bool is_one_of(std::string_view word, const Words& words) {
  return std::ranges::find(words, word) != words.end();
}

// The parser's own words, where a beginner would not understand them.
std::string plain(std::string text) {
  const size_t flag = text.find(':');
  if (text.ends_with(" missing") && flag != text.npos)
    return text.substr(0, flag) + " needs a value";
  if (text.contains(": At Most 1 required")) return text.substr(0, flag) + " stands twice";
  if (const size_t least = text.find(": At least "), behind = text.find(" required but");
      least != text.npos && behind != text.npos)
    return fmt::format("{} needs {}", text.substr(0, least),
                       text.substr(least + 11, behind - least - 11));
  for (const std::string_view begin :
       {"The following argument was not expected: ", "The following arguments were not expected: "})
    if (text.starts_with(begin)) return fmt::format("no use for {}", text.substr(begin.size()));
  return text;
}

// A flag that this verb does not have, and the one that was meant.
std::string note_on_flags(const VerbWords& verb, const Words& words) {
  Words known;
  for (const FlagWords& flag : verb.flags)
    if (!flag.long_name.empty()) known.push_back("--" + flag.long_name);
  for (const std::string& whole : words) {
    const std::string_view word = std::string_view(whole).substr(0, whole.find('='));
    if (word.starts_with("--") && !is_one_of(word, known)) return did_you_mean(word, views(known));
  }
  return "";
}

// "chek" of `schema chek`: no verb within this one.
void tell_inner(const Words& words, const Words& inner, Error& problem) {
  const std::string word = words.size() > 1 ? words[1] : "";
  if (inner.empty() || word.starts_with("-") || is_one_of(word, inner)) return;
  problem.message = word.empty() ? fmt::format("\"{}\" needs a further word", words[0])
                                 : fmt::format("unknown verb \"{} {}\"", words[0], word);
  problem.note = did_you_mean(word, views(inner));
  problem.cure = fmt::format("write penstock {} {}", words[0], fmt::join(inner, " or "));
}

}  // namespace

Error refusal(std::string says, const Words& words, const std::vector<VerbWords>& verbs) {
  const std::string verb = words.empty() ? "" : words[0];
  const Words known = verbs_within("", verbs);
  Error problem;
  problem.code = "U001"_code;
  problem.message = verb.empty() ? "no verb was given" : fmt::format("unknown verb \"{}\"", verb);
  problem.note = did_you_mean(verb, views(known));
  problem.cure = "see penstock --help";
  if (!is_one_of(verb, known)) return problem;
  const Words inner = verbs_within(verb, verbs);
  const bool two = words.size() > 1 && is_one_of(words[1], inner);
  const std::string path = two ? fmt::format("{} {}", verb, words[1]) : verb;
  problem.message = fmt::format("{}: {}", path, plain(std::move(says)));
  problem.note = note_on_flags(*std::ranges::find(verbs, path, &VerbWords::path), words);
  problem.cure = fmt::format("see penstock {} --help", path);
  tell_inner(words, inner, problem);
  return problem;
}

}  // namespace penstock::app
