#include "app/options.h"

#include "app/version.h"
#include "base/suggest.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace penstock::app {
namespace {

// CLI11 wants the sub-commands built by hand; each function adds one family of flags.
struct Builder {
  CLI::App& app;
  Options& options;

  CLI::App* verb(const std::string& name, const std::string& doc) {
    CLI::App* made = app.add_subcommand(name, doc);
    made->fallthrough(false);
    return made;
  }
  static std::string env(const std::string& flag) {
    std::string name = "PENSTOCK_";
    for (const char c : flag.substr(2)) name += c == '-' ? '_' : static_cast<char>(std::toupper(c));
    return name;
  }
  template <class T>
  CLI::Option* value(CLI::App* verb, const std::string& flags, T& to, const std::string& doc) {
    return verb->add_option(flags, to, doc)->envname(env(flags.substr(flags.find("--"))));
  }
  CLI::Option* flag(CLI::App* verb, const std::string& name, bool& to, const std::string& doc) {
    return verb->add_flag(name, to, doc)->envname(env(name));
  }
  void file(CLI::App* verb) {
    verb->add_option("FILE", options.files, "the pipeline file, or its folder")
        ->required()
        ->expected(1);
  }
  // CLI11 gives all positional words to the first list: they are told apart after the parse.
  void file_and_words(CLI::App* verb, const std::string& words, const std::string& doc, int least) {
    verb->add_option("FILE", options.files,
                     "the pipeline file, or its folder; then " + words + ": " + doc)
        ->required()
        ->expected(1 + least, 1000)
        ->type_name(words);
  }
  void files(CLI::App* verb) {
    verb->add_option("FILE", options.files, "pipeline files, or their folders")
        ->required()
        ->expected(1, 1000);
  }
  void target(CLI::App* verb) {
    value(verb, "-t,--target", options.target,
          "a target of the file; default: local, else the only one");
  }
  void data(CLI::App* verb) {
    value(verb, "--data", options.data_dir, "the data folder; default: .penstock beside the file");
  }
  void format(CLI::App* verb) {
    value(verb, "-o,--output", options.format, "table, wide, json or yaml")
        ->transform(CLI::CheckedTransformer(std::map<std::string, Format>{{"table", Format::table},
                                                                          {"wide", Format::wide},
                                                                          {"json", Format::json},
                                                                          {"yaml", Format::yaml}},
                                            CLI::ignore_case));
  }
  void look(CLI::App* verb) {
    file(verb);
    target(verb);
    data(verb);
    format(verb);
  }
};

void add_file_verbs(Builder& b) {
  CLI::App* check = b.verb("check", "read pipeline files, prove them, lint them");
  b.files(check);
  b.target(check);
  b.flag(check, "--deny-warnings", b.options.deny_warnings, "warnings fail too");
  CLI::App* plan = b.verb("plan", "what will run, in words");
  b.file(plan);
  b.target(plan);
  b.format(plan);
  CLI::App* test = b.verb("test", "run the tests in the files");
  b.files(test);
  b.value(test, "-k,--name", b.options.name, "only tests whose name contains this");
  b.value(test, "--junit", b.options.junit_file, "write a JUnit report");
  CLI::App* init = b.verb("init", "a new pipeline: meters, article or minimal, in a folder");
  init->add_option("TEMPLATE_AND_DIR", b.options.inputs, "[meters|article|minimal] DIR")
      ->required()
      ->expected(1, 2);
  b.verb("schema", "the JSON Schema of the pipeline file");
  CLI::App* explain = b.verb("explain", "an error's number or a field of the file, explained");
  explain->add_option("WHAT", b.options.inputs, "P012, or stages.from")->required()->expected(1);
}

void add_run_verbs(Builder& b) {
  CLI::App* demo = b.verb("demo", "the whole system on this machine; Ctrl-C drains");
  b.data(demo);
  CLI::App* run = b.verb("run", "run the pipeline's stages");
  b.file(run);
  b.target(run);
  b.data(run);
  b.value(run, "--stage", b.options.stage, "only this stage");
  b.value(run, "--workers", b.options.workers, "workers per stage")->check(CLI::Range(1, 256));
  b.flag(run, "--until-idle", b.options.until_idle,
         "stop when everything was read and nothing is open");
  b.value(run, "--listen", b.options.listen,
          "HOST:PORT for /livez, /readyz and /metrics; default: nowhere");
  b.flag(run, "--fail-on-dead", b.options.fail_on_dead, "exit 1 when there were dead letters");
  CLI::App* send = b.verb("send", "send csv or jsonl files to a topic, exactly once per file");
  b.file_and_words(send, "INPUT...", "files to send; - is standard input", 1);
  b.target(send);
  b.data(send);
  b.value(send, "--to", b.options.to, "the topic")->required();
  b.value(send, "--rate", b.options.rate_per_second, "records per second")
      ->check(CLI::NonNegativeNumber);
  b.flag(send, "--again", b.options.again, "send a file once more that was sent already");
  b.flag(send, "--raw", b.options.raw, "JSON lines of {\"key\", \"value_hex\"}: bytes as they are");
  b.flag(send, "--skip-bad", b.options.skip_bad,
         "tell of rows that do not fit the schema and go on");
  CLI::App* produce = b.verb("produce", "the simulated clients, for ever");
  b.file(produce);
  b.target(produce);
  b.data(produce);
  b.value(produce, "--listen", b.options.listen,
          "HOST:PORT for /livez, /readyz and /metrics; default: nowhere");
  CLI::App* apply = b.verb("apply", "make topics and tables that are missing; never alter");
  b.file(apply);
  b.target(apply);
  b.data(apply);
}

void add_look_verbs(Builder& b) {
  b.look(b.verb("status", "stages, rates, stores, dead letters"));
  b.look(b.verb("lag", "what each stage has not read yet"));
  CLI::App* tail = b.verb("tail", "the newest records of a topic, or rows of a store");
  b.file_and_words(tail, "[TOPIC...]", "topics or stores; default: all topics", 0);
  b.target(tail);
  b.data(tail);
  b.format(tail);
  b.value(tail, "-n,--limit", b.options.limit, "how many of each")->check(CLI::Range(0, 1'000'000));
  b.flag(tail, "--follow", b.options.follow, "go on as records come");
  CLI::App* trace = b.verb("trace", "one key through every topic to its rows");
  b.file_and_words(trace, "KEY...", "keys of records", 1);
  b.target(trace);
  b.data(trace);
  b.format(trace);
  b.value(trace, "-n,--limit", b.options.limit, "how many of each")
      ->check(CLI::Range(1, 1'000'000));
  CLI::App* dead = b.verb("dead", "dead letters: why, where, and the bytes");
  b.look(dead);
  b.value(dead, "--stage", b.options.stage, "only this stage's");
  b.value(dead, "-n,--limit", b.options.limit, "how many of each stage; -1: all")
      ->check(CLI::Range(-1, 1'000'000'000));
  b.look(b.verb("verify", "do the fates of all records add up?"));
}

void add_try_verbs(Builder& b) {
  CLI::App* eval = b.verb("eval", "try a rule");
  eval->add_option("EXPR", b.options.inputs, "the rule")->expected(0, 1);
  b.value(eval, "--schema", b.options.schema_file, "an Avro schema file: the record's");
  b.value(eval, "--record", b.options.record_json, "the record as JSON; - reads standard input");
  b.value(eval, "--cases", b.options.cases_file, "JSON lines of cases; - reads standard input");
  CLI::App* avro = b.verb("avro", "bytes to JSON and back");
  avro->require_subcommand(1);
  for (const auto& [name, doc] :
       {std::pair{"decode", "bytes to JSON"}, std::pair{"encode", "JSON to bytes"}}) {
    CLI::App* verb = avro->add_subcommand(name, doc);
    verb->add_option("INPUT", b.options.inputs, "a file, or - for standard input")->expected(0, 1);
    b.value(verb, "--schema", b.options.schema_file, "the writer's schema file");
    b.value(verb, "--reader", b.options.reader_file, "the reader's schema file");
    b.value(verb, "--framing", b.options.framing, "bare or single-object")
        ->check(CLI::IsMember({"bare", "single-object"}));
    b.value(verb, "--cases", b.options.cases_file, "JSON lines of cases; - reads standard input");
  }
  b.verb("version", "the version of this program");
}

// The help of a program that was called without or with a wrong verb.
Parsed refuse(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  Parsed parsed;
  parsed.stop = true;
  parsed.exit_code = 64;
  std::vector<std::string_view> verbs;
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands({})) names.push_back(verb->get_name());
  for (const auto& name : names) verbs.push_back(name);
  const std::string_view word = argc > 1 ? argv[1] : "";
  const bool known = std::ranges::find(verbs, word) != verbs.end();
  Error problem;
  problem.code = "U001"_code;
  if (word.empty()) {
    problem.message = "no verb was given";
  } else {
    problem.message = known ? fmt::format("{}: {}", word, error.what())
                            : fmt::format("unknown verb \"{}\"", word);
  }
  if (!known) problem.note = did_you_mean(word, verbs);
  problem.cure = known ? fmt::format("see penstock {} --help", word) : "see penstock --help";
  parsed.text = render(problem);
  return parsed;
}

}  // namespace

Parsed parse_options(int argc, char** argv) {
  Parsed parsed;
  CLI::App app("Penstock feeds databases from a stream: every record once, from one pipeline file.",
               "penstock");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(kVersionText));
  Builder builder{app, parsed.options};
  add_file_verbs(builder);
  add_run_verbs(builder);
  add_look_verbs(builder);
  add_try_verbs(builder);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    parsed.stop = true;
    parsed.text = chosen.empty() ? app.help() : chosen.front()->help();
    return parsed;
  } catch (const CLI::CallForVersion&) {
    parsed.stop = true;
    parsed.text = fmt::format("{}\n", kVersionText);
    return parsed;
  } catch (const CLI::ParseError& error) {
    return refuse(app, error, argc, argv);
  }
  const CLI::App* chosen = app.get_subcommands().front();
  parsed.options.verb = chosen->get_name();
  if (const auto inner = chosen->get_subcommands(); !inner.empty()) {
    parsed.options.verb += " " + inner.front()->get_name();
  }
  if (parsed.options.verb == "send" || parsed.options.verb == "tail" ||
      parsed.options.verb == "trace") {
    std::vector<std::string>& words = parsed.options.files;
    parsed.options.inputs.assign(words.begin() + 1, words.end());
    words.resize(1);
  }
  return parsed;
}

}  // namespace penstock::app
