#include "app/spool.h"

#include "app/input_text.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace penstock::app {

Result<Spool> Spool::standard_input(std::vector<std::string>& inputs) {
  Spool spool;
  for (std::string& input : inputs) {
    if (input != "-") continue;
    if (spool.path_.empty()) {
      PENSTOCK_TRY(text, read_input("-"));
      // The reader of files tells csv from jsonl by the name; a JSON line begins with a brace.
      const size_t first = text.find_first_not_of(" \t\r\n");
      const bool json = first != std::string::npos && text[first] == '{';
      std::string name = (std::filesystem::temp_directory_path() /
                          (json ? "standard-input-XXXXXX.jsonl" : "standard-input-XXXXXX.csv"))
                             .string();
      const int descriptor = ::mkstemps(name.data(), json ? 6 : 4);
      if (descriptor < 0)
        return fail("U003"_code, "cannot make a temporary file for standard input");
      ::close(descriptor);
      spool.path_ = name;
      std::ofstream(name, std::ios::binary) << text;
    }
    input = spool.path_;
  }
  return spool;
}

Spool::~Spool() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace penstock::app
