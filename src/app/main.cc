// The program: options in, one verb, an exit code out.
#include "app/options.h"
#include "app/terminal.h"
#include "app/verbs.h"
#include "app/version.h"
#include "file/zone.h"
#include "rule/zone.h"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <string_view>

namespace penstock::app {
namespace {

using Verb = Result<int> (*)(const Options&, ops::Output&);

Result<int> version(const Options&, ops::Output& output) {
  output.out(fmt::format("{}\n", kVersionText));
  return 0;
}

const std::map<std::string_view, Verb>& verbs() {
  static const std::map<std::string_view, Verb> all = {
      {"apply", apply},
      {"avro decode", avro_decode},
      {"avro encode", avro_encode},
      {"bundle", bundle_verb},
      {"check", check},
      {"completion", completion},
      {"dead", look_verb},
      {"demo", demo},
      {"eval", eval},
      {"explain", explain},
      {"init", init},
      {"lag", look_verb},
      {"plan", plan_verb},
      {"produce", produce},
      {"reference", reference},
      {"run", run},
      {"scaler", scaler},
      {"schema", schema},
      {"schema check", schema_check},
      {"send", send},
      {"simulate", simulate},
      {"status", look_verb},
      {"tail", look_verb},
      {"targets", targets},
      {"test", test},
      {"trace", look_verb},
      {"verify", look_verb},
      {"version", version},
  };
  return all;
}

int main_verb(int argc, char** argv) {
  rule::set_zone_files(file::read_zone);
  Terminal terminal;
  const Parsed parsed = parse_options(argc, argv);
  if (parsed.stop) {
    parsed.exit_code == 0 ? terminal.out(parsed.text) : terminal.note(parsed.text);
    return parsed.exit_code;
  }
  const Result<int> code = verbs().at(parsed.options.verb)(parsed.options, terminal);
  const Result<void> told = terminal.end();
  if (code && (told || *code != 0)) return *code;
  Error error = code ? told.error() : code.error();
  if (error.code == "U001"_code && error.cure.empty())
    error.cure = fmt::format("see penstock {} --help", parsed.options.verb);
  terminal.note(render(error));
  return exit_code(error);
}

}  // namespace
}  // namespace penstock::app

int main(int argc, char** argv) { return penstock::app::main_verb(argc, argv); }
