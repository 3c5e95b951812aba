// The scripts of `penstock completion`. Each finds the verb among the words so far, then completes
// what the word before takes, else the flags, words and files of the verb.

#include "app/completion.h"

#include "app/verbs.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace penstock::app {
namespace {

std::string replaced(std::string_view text, char from, std::string_view to) {
  std::string out;
  for (const char c : text) c == from ? out += to : out += c;
  return out;
}

std::string name_of(const VerbWords& verb) {
  return verb.path.substr(verb.path.find_last_of(' ') + 1);
}

std::string outer_of(const VerbWords& verb) {
  const size_t blank = verb.path.find_last_of(' ');
  return blank == std::string::npos ? "" : verb.path.substr(0, blank);
}

// The verbs that stand right behind `path`.
std::vector<const VerbWords*> inner_of(const std::vector<VerbWords>& verbs, std::string_view path) {
  std::vector<const VerbWords*> inner;
  for (const VerbWords& verb : verbs)
    if (!verb.path.empty() && outer_of(verb) == path) inner.push_back(&verb);
  return inner;
}

std::vector<std::string> flag_names(const FlagWords& flag) {
  std::vector<std::string> names;
  if (!flag.short_name.empty()) names.push_back("-" + flag.short_name);
  if (!flag.long_name.empty()) names.push_back("--" + flag.long_name);
  return names;
}

// '/run'|'schema/check': the verbs as patterns of a case.
std::string verb_patterns(const std::vector<VerbWords>& verbs, std::string_view between) {
  std::string text;
  for (const VerbWords& verb : verbs)
    if (!verb.path.empty())
      text += fmt::format("{}'{}/{}'", text.empty() ? "" : between, outer_of(verb), name_of(verb));
  return text;
}

// 'run/-t'|'run/--target'…: the flags that `takes` is true for.
std::string flag_patterns(const std::vector<VerbWords>& verbs,
                          const std::function<bool(const FlagWords&)>& takes) {
  std::string text;
  for (const VerbWords& verb : verbs)
    for (const FlagWords& flag : verb.flags)
      for (const std::string& name : flag_names(flag))
        if (takes(flag)) text += fmt::format("{}'{}/{}'", text.empty() ? "" : "|", verb.path, name);
  return text;
}

// One arm for each set of choices: `arm` makes its body.
std::string choice_arms(const std::vector<VerbWords>& verbs,
                        const std::function<std::string(const std::string&)>& arm) {
  std::string text;
  std::vector<std::string> seen;
  for (const VerbWords& verb : verbs) {
    for (const FlagWords& flag : verb.flags) {
      const std::string words = fmt::format("{}", fmt::join(flag.choices, " "));
      if (words.empty() || std::ranges::find(seen, words) != seen.end()) continue;
      seen.push_back(words);
      const auto same = [&](const FlagWords& other) { return other.choices == flag.choices; };
      text += fmt::format("    {}) {} ;;\n", flag_patterns(verbs, same), arm(words));
    }
  }
  return text;
}

bool takes_target(const FlagWords& flag) { return flag.takes == Takes::target; }
bool takes_file(const FlagWords& flag) { return flag.takes == Takes::file; }
bool takes_word(const FlagWords& flag) { return flag.takes == Takes::word && flag.choices.empty(); }

// The words behind a verb that are no flags.
std::vector<std::string> plain_words(const std::vector<VerbWords>& verbs, const VerbWords& verb) {
  std::vector<std::string> words = verb.choices;
  for (const VerbWords* inner : inner_of(verbs, verb.path)) words.push_back(name_of(*inner));
  return words;
}

constexpr std::string_view kFindVerb = R"(    case "$verb/$word" in
      @VERBS@) verb="${verb:+$verb }$word" ;;
      *) if [[ -z $file && -e $word ]]; then file=$word; fi ;;
    esac
  done
)";

std::string find_verb(const std::vector<VerbWords>& verbs) {
  std::string text(kFindVerb);
  return text.replace(text.find("@VERBS@"), 7, verb_patterns(verbs, "|"));
}

std::string bash(const std::vector<VerbWords>& verbs) {
  std::string text = R"(# penstock completion bash: source <(penstock completion bash)
_penstock() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local verb= file= words= files= word i
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
)" + find_verb(verbs) +
                     "  case \"$verb/$prev\" in\n";
  text += fmt::format("    {}) words=$(\"${{COMP_WORDS[0]}}\" targets \"$file\" 2>/dev/null) ;;\n",
                      flag_patterns(verbs, takes_target));
  text += choice_arms(verbs, [](const std::string& words) { return "words='" + words + "'"; });
  text += fmt::format("    {}) files=1 ;;\n    {}) return ;;\n    *) case \"$verb/$cur\" in\n",
                      flag_patterns(verbs, takes_file), flag_patterns(verbs, takes_word));
  for (const VerbWords& verb : verbs) {
    std::string flags;
    for (const FlagWords& flag : verb.flags)
      for (const std::string& name : flag_names(flag)) flags += (flags.empty() ? "" : " ") + name;
    text += fmt::format("      '{}/-'*) words='{}' ;;\n", verb.path, flags);
    text +=
        fmt::format("      '{}/'*) words='{}'{} ;;\n", verb.path,
                    fmt::join(plain_words(verbs, verb), " "), verb.takes_files ? " files=1" : "");
  }
  return text + R"(    esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F _penstock penstock
)";
}

// 'name:what it is', as _describe reads it.
std::string described(std::string_view name, std::string_view doc) {
  return fmt::format("'{}:{}'", name, replaced(replaced(doc, ':', "\\:"), '\'', "'\\''"));
}

std::string zsh_verb(const std::vector<VerbWords>& verbs, const VerbWords& verb) {
  std::string flags, plain;
  for (const FlagWords& flag : verb.flags)
    for (const std::string& name : flag_names(flag)) flags += " " + described(name, flag.doc);
  for (const std::string& word : verb.choices) plain += " " + described(word, "");
  for (const VerbWords* inner : inner_of(verbs, verb.path))
    plain += " " + described(name_of(*inner), inner->doc);
  std::string text =
      fmt::format("    '{}/-'*) found=({}); _describe -o flag found ;;\n", verb.path, flags);
  text += fmt::format("    '{}/'*)", verb.path);
  if (!plain.empty()) text += fmt::format(" found=({}); _describe word found;", plain);
  return text + (verb.takes_files ? " _files ;;\n" : " ;;\n");
}

std::string zsh(const std::vector<VerbWords>& verbs) {
  std::string text = R"(#compdef penstock
# penstock completion zsh: a file _penstock in $fpath, or source <(penstock completion zsh)
_penstock() {
  local verb= file= word i prev=${words[CURRENT-1]}
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    word=${words[i]}
)" + find_verb(verbs) +
                     "  case \"$verb/$prev\" in\n";
  text += fmt::format(
      "    {}) found=(${{(f)\"$(${{words[1]}} targets \"$file\" 2>/dev/null)\"}}); compadd -a "
      "found; "
      "return ;;\n",
      flag_patterns(verbs, takes_target));
  text += choice_arms(verbs,
                      [](const std::string& words) { return "compadd -- " + words + "; return"; });
  text += fmt::format("    {}) _files; return ;;\n    {}) return ;;\n  esac\n",
                      flag_patterns(verbs, takes_file), flag_patterns(verbs, takes_word));
  text += "  case \"$verb/${words[CURRENT]}\" in\n";
  for (const VerbWords& verb : verbs) text += zsh_verb(verbs, verb);
  return text + R"(  esac
}
if [[ ${funcstack[1]} == _penstock ]]; then _penstock "$@"; else compdef _penstock penstock; fi
)";
}

std::string fish_text(std::string_view text) {
  return "'" + replaced(replaced(text, '\\', "\\\\"), '\'', "\\'") + "'";
}

std::string fish_flag(const std::string& at, const FlagWords& flag) {
  std::string text = at;
  if (!flag.long_name.empty()) text += " -l " + flag.long_name;
  if (!flag.short_name.empty()) text += " -s " + flag.short_name;
  text += " -d " + fish_text(flag.doc);
  if (flag.takes == Takes::target) text += " -x -a '(__penstock_targets)'";
  if (flag.takes == Takes::file) text += " -r -F";
  if (flag.takes == Takes::word) text += " -x";
  if (!flag.choices.empty()) text += fmt::format(" -a '{}'", fmt::join(flag.choices, " "));
  return text + "\n";
}

constexpr std::string_view kFishHead = R"(# penstock completion fish | source
function __penstock_verb
  set -l verb ''
  for word in (commandline -opc)[2..-1]
    switch "$verb/$word"
      case @VERBS@
        set verb (string trim "$verb $word")
    end
  end
  echo "$verb"
end
function __penstock_at
  set -l verb (__penstock_verb)
  test "$verb" = "$argv[1]"
end
function __penstock_targets
  set -l words (commandline -opc)
  for word in $words[2..-1]
    if test -e $word
      $words[1] targets $word 2>/dev/null
      return
    end
  end
end
complete -c penstock -f
)";

std::string fish(const std::vector<VerbWords>& verbs) {
  std::string text(kFishHead);
  text.replace(text.find("@VERBS@"), 7, verb_patterns(verbs, " "));
  for (const VerbWords& verb : verbs) {
    const std::string at = fmt::format("complete -c penstock -n '__penstock_at \"{}\"'", verb.path);
    for (const FlagWords& flag : verb.flags) text += fish_flag(at, flag);
    for (const std::string& word : verb.choices) text += fmt::format("{} -a {}\n", at, word);
    for (const VerbWords* inner : inner_of(verbs, verb.path))
      text += fmt::format("{} -a {} -d {}\n", at, name_of(*inner), fish_text(inner->doc));
    if (verb.takes_files) text += at + " -F\n";
  }
  return text;
}

}  // namespace

std::string completion_script(std::string_view shell, const std::vector<VerbWords>& verbs) {
  if (shell == "zsh") return zsh(verbs);
  return shell == "fish" ? fish(verbs) : bash(verbs);
}

Result<int> completion(const Options& options, ops::Output& output) {
  output.out(completion_script(options.inputs.front(), all_words()));
  return 0;
}

}  // namespace penstock::app
