#include "app/options.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace penstock::app {
namespace {

Parsed parse(const std::vector<std::string>& words) {
  std::vector<std::string> all{"penstock"};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (std::string& word : all) argv.push_back(word.data());
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

bool has(const std::string& text, std::string_view part) { return text.contains(part); }

}  // namespace

TEST_CASE("the pipeline file comes first, then words of another kind") {
  const Parsed trace = parse({"trace", "p", "-n", "3", "m1", "m2"});
  REQUIRE(!trace.stop);
  CHECK(trace.options.files == std::vector<std::string>{"p"});
  CHECK(trace.options.inputs == std::vector<std::string>{"m1", "m2"});
  CHECK(trace.options.limit == 3);
  const Parsed tail = parse({"tail", "p"});
  REQUIRE(!tail.stop);
  CHECK(tail.options.inputs.empty());
  const Parsed send = parse({"send", "--to", "t", "p", "-"});
  REQUIRE(!send.stop);
  CHECK(send.options.inputs == std::vector<std::string>{"-"});
  const Parsed check = parse({"check", "a", "b", "c"});
  CHECK(check.options.files.size() == 3);
  CHECK(parse({"avro", "decode", "--framing", "single-object"}).options.verb == "avro decode");
}

TEST_CASE("a slip on the command line is told with what was meant") {
  for (const auto& [words, text] :
       {std::pair{std::vector<std::string>{"rnu", "p"}, R"(did you mean "run"?)"},
        std::pair{std::vector<std::string>{"run", "p", "--until-idel"},
                  R"(did you mean "--until-idle"?)"},
        std::pair{std::vector<std::string>{"run", "p", "--stag=x"}, R"(did you mean "--stage"?)"},
        std::pair{std::vector<std::string>{"lag", "p", "-o", "jsn"},
                  R"("jsn" is none of table, wide, json and yaml; did you mean "json"?)"},
        std::pair{std::vector<std::string>{"trace", "p"}, "KEY is required"},
        std::pair{std::vector<std::string>{"run", "p", "--workers", "0"}, "1 to 256"},
        std::pair{std::vector<std::string>{"schema", "chek"}, R"(did you mean "check"?)"},
        std::pair{std::vector<std::string>{"avro", "decde", "-"}, R"(unknown verb "avro decde")"},
        std::pair{std::vector<std::string>{"avro"}, "penstock avro decode or encode"},
        std::pair{std::vector<std::string>{}, "no verb was given"}}) {
    const Parsed parsed = parse(words);
    CHECK(parsed.stop);
    CHECK(parsed.exit_code == 64);
    CHECK_MESSAGE(has(parsed.text, text), parsed.text);
  }
}

TEST_CASE("help tells what a flag takes, and its variable") {
  const Parsed help = parse({"tail", "--help"});
  CHECK(help.exit_code == 0);
  for (const std::string_view line :
       {"Usage: tail [OPTIONS] FILE [TOPIC...]\n", "-o,--output table|wide|json|yaml|avro\n",
        "how it is printed [PENSTOCK_OUTPUT]\n", "-n,--limit N ", "  --follow  "}) {
    CHECK_MESSAGE(has(help.text, line), help.text);
  }
}

}  // namespace penstock::app
