// completion.h — the words of the command line, and scripts by which shells complete them.
//
// The words come from the very tables that read the command line and print its help.
//
// Thread      free functions.
//
//     std::string script = completion_script("bash", all_words());
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::app {

enum class Takes : uint8_t { nothing, word, file, target };

struct FlagWords {
  std::string short_name, long_name, doc;  // without their dashes; "" where there is none
  Takes takes = Takes::nothing;
  std::vector<std::string> choices;  // Takes::word: these, or anything
};

struct VerbWords {
  std::string path, doc;  // "schema check"; "" is the program itself
  std::vector<FlagWords> flags;
  std::vector<std::string> choices;  // of its further words
  bool takes_files = false;
};

// Every verb behind the one that it is in. options.cc
std::vector<VerbWords> all_words();
// For "bash", "zsh" or "fish".
std::string completion_script(std::string_view shell, const std::vector<VerbWords>& verbs);

}  // namespace penstock::app
