#include "app/options.h"

#include "app/completion.h"
#include "app/option_values.h"
#include "app/refusal.h"
#include "app/version.h"
#include "plan/values.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <ranges>
#include <utility>

namespace penstock::app {
namespace {

// Help in the words of the field: "-o,--output table|wide|json|yaml", "--workers N".
class Help : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_positional() || option->get_items_expected_max() == 0) return "";
    std::string text = option->get_option_text();
    if (text.empty()) {
      const bool counts = option->get_type_name().starts_with("INT") ||
                          option->get_type_name().starts_with("FLOAT");
      text = counts ? "N" : "TEXT";
    }
    return " " + text + (option->get_required() ? " (required)" : "");
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string& env = option->get_envname();
    return option->get_description() + (env.empty() ? "" : " [" + env + "]");
  }
  std::string make_option_usage(const CLI::Option* option) const override {
    const std::string name =
        make_option_name(option, true) + (option->get_expected_max() > 1 ? "..." : "");
    return option->get_required() ? name : "[" + name + "]";
  }
};

// Of a duration_number().
CLI::Validator at_least_millis(int64_t least) {
  const auto check = [least](const std::string& text) -> std::string {
    int64_t millis = 0;
    std::from_chars(text.data(), text.data() + text.size(), millis);
    return millis >= least ? "" : fmt::format("at least {} are needed", plan::duration_text(least));
  };
  return {check, ""};
}

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
        ->expected(1)
        ->allow_extra_args(false);
  }
  // The pipeline file, and then words of another kind.
  void file_and_words(CLI::App* verb, const std::string& word, const std::string& doc, bool least) {
    file(verb);
    verb->add_option(word, options.inputs, doc)->required(least)->expected(least ? 1 : 0, 1000);
  }
  void files(CLI::App* verb) {
    verb->add_option("FILE", options.files, "pipeline files, or their folders")
        ->required()
        ->expected(1, 1000);
  }
  CLI::Option* duration(CLI::App* verb, const std::string& flag, int64_t& to,
                        const std::string& doc) {
    return value(verb, flag, to, doc)
        ->option_text("DURATION")
        ->transform(CLI::Validator(duration_number, ""));
  }
  void grace(CLI::App* verb) {
    duration(
        verb, "--grace", options.grace_millis,
        "how long a drain may take before what is open is left for the next start; default: 25s");
  }
  void catch_up(CLI::App* verb, int64_t& to) {
    duration(verb, "--catch-up", to, "what waits is to be done within so long; default: 60s")
        ->check(at_least_millis(1'000));
  }
  void target(CLI::App* verb) {
    value(verb, "-t,--target", options.target,
          "a target of the file; default: local, else the only one");
  }
  void data(CLI::App* verb) {
    value(verb, "--data", options.data_dir, "the data folder; default: .penstock beside the file");
  }
  void format(CLI::App* verb, bool avro = false) {
    const auto number = [avro](std::string& text) { return format_number(text, avro ? 5 : 4); };
    value(verb, "-o,--output", options.format, "how it is printed")
        ->option_text(avro ? "table|wide|json|yaml|avro" : "table|wide|json|yaml")
        ->transform(CLI::Validator(number, ""));
  }
  void codec(CLI::App* verb, const std::string& doc) {
    value(verb, "--codec", options.codec, doc)
        ->option_text("null|deflate|snappy|zstandard")
        ->check(CLI::IsMember({"null", "deflate", "snappy", "zstandard"}));
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
  b.flag(check, "--registry", b.options.registry,
         "ask the target's schema registries what they would refuse");
  CLI::App* plan = b.verb("plan", "what will run, in words");
  b.file(plan);
  b.target(plan);
  b.format(plan);
  b.flag(plan, "--redshift-streaming", b.options.redshift_streaming,
         "instead: the DDL by which Redshift itself reads the topics that stages write");
  CLI::App* bundle = b.verb("bundle", "the pipeline in one file: for pods, the chart, Terraform");
  b.file(bundle);
  b.target(bundle);
  CLI::App* test = b.verb("test", "run the tests in the files");
  b.files(test);
  b.value(test, "-k,--name", b.options.name, "only tests whose name contains this");
  b.value(test, "--junit", b.options.junit_file, "write a JUnit report");
  CLI::App* init = b.verb("init", "a new pipeline from a template, in a folder");
  init->add_option("TEMPLATE_AND_DIR", b.options.inputs, "[meters|article|beside|minimal] DIR")
      ->required()
      ->expected(1, 2);
  CLI::App* schema = b.verb("schema", "the JSON Schema of the pipeline file");
  schema->require_subcommand(0, 1);
  CLI::App* versions = schema->add_subcommand("check", "do two versions of an Avro schema fit?");
  versions->add_option("OLD_AND_NEW", b.options.inputs, "Avro schema files; - is standard input")
      ->required()
      ->expected(2);
  b.value(versions, "--require", b.options.require,
          "backward: NEW reads what OLD wrote; forward: the other way; full: both; "
          "default: backward")
      ->option_text("backward|forward|full|none")
      ->check(CLI::IsMember({"backward", "forward", "full", "none"}));
  b.format(versions);
  CLI::App* explain = b.verb("explain", "an error's number or a field of the file, explained");
  explain->add_option("WHAT", b.options.inputs, "P012, stages.from or store.redshift")
      ->required()
      ->expected(1);
  CLI::App* reference = b.verb("reference", "a page of the reference, or the pages' names");
  reference->add_option("PAGE", b.options.inputs, "a page's name")->expected(0, 1);
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
  b.value(run, "--rate", b.options.rate_per_second,
          "records per second that each worker reads at most; default: as fast as it goes")
      ->check(check_rate);
  b.flag(
      run, "--autoscale", b.options.autoscale,
      "as many workers as each stage needs, from its scale's min to its max, instead of --workers");
  b.flag(run, "--until-idle", b.options.until_idle,
         "stop when everything was read and nothing is open");
  b.value(run, "--listen", b.options.listen,
          "HOST:PORT for /livez, /readyz and /metrics; default: nowhere");
  b.grace(run);
  b.flag(run, "--fail-on-dead", b.options.fail_on_dead, "exit 1 when there were dead letters");
  CLI::App* send =
      b.verb("send", "send csv, jsonl or Avro files to a topic, exactly once per file");
  b.file_and_words(send, "INPUT", "files to send; - is standard input", true);
  b.target(send);
  b.data(send);
  b.value(send, "--to", b.options.to, "the topic")->required();
  b.value(send, "--rate", b.options.rate_per_second,
          "records per second; default: as fast as it goes")
      ->check(check_rate);
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
  b.grace(produce);
  CLI::App* apply = b.verb("apply", "make topics and tables that are missing; never alter");
  b.file(apply);
  b.target(apply);
  b.data(apply);
}

void add_look_verbs(Builder& b) {
  b.look(b.verb("status", "stages, rates, stores, dead letters"));
  b.look(b.verb("lag", "what each stage has not read yet"));
  CLI::App* tail = b.verb("tail", "the newest records of a topic, or rows of a store");
  b.file_and_words(tail, "TOPIC", "topics or stores; default: all topics", false);
  b.target(tail);
  b.data(tail);
  b.format(tail, true);
  b.codec(tail, "of the file that -o avro writes; default: deflate");
  b.value(tail, "-n,--limit", b.options.limit, "how many of each")->check(CLI::Range(0, 1'000'000));
  b.flag(tail, "--follow", b.options.follow, "go on as records come");
  CLI::App* trace = b.verb("trace", "one key through every topic to its rows");
  b.file_and_words(trace, "KEY", "keys of records", true);
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

void add_scale_verbs(Builder& b) {
  CLI::App* scaler = b.verb("scaler", "the workers that each stage needs, told to KEDA");
  b.file(scaler);
  b.target(scaler);
  b.data(scaler);
  b.value(scaler, "--listen", b.options.listen, "HOST:PORT that KEDA asks")->required();
  b.duration(scaler, "--every", b.options.every_millis, "between two looks at the log; default: 5s")
      ->check(at_least_millis(100));
  b.catch_up(scaler, b.options.catch_up_millis);
}

void add_simulate(Builder& b) {
  SimulationOptions& to = b.options.simulation;
  CLI::App* verb = b.verb("simulate", "replicas, lag, delay and cost of a load, without a cluster");
  b.file(verb);
  b.target(verb);
  b.data(verb);
  b.value(verb, "--load", to.load_file, "a CSV of seconds,records_per_second");
  b.flag(verb, "--recorded", to.recorded, "the load that the log has kept");
  b.value(verb, "--scaling", to.scaling, "who says how many; default: both, side by side")
      ->option_text("lag|need|both")
      ->check(CLI::IsMember({"lag", "need", "both"}));
  b.value(verb, "--speed", to.speed, "records per second of one worker: N, or STAGE=N,STAGE=N")
      ->required();
  b.value(verb, "--store-limit", to.store_limit,
          "records per second that all workers of a stage get done together; default: no limit");
  b.value(verb, "--kept", to.kept, "share of a stage's records that go on; default: 1");
  b.catch_up(verb, to.catch_up_millis);
  b.duration(verb, "--pod-start", to.pod_start_millis,
             "from a pod's place on a node to its first record; default: 5s");
  b.duration(verb, "--node-start", to.node_start_millis, "until a node can be used; default: 90s");
  b.value(verb, "--pods-per-node", to.pods_per_node, "default: there is always room")
      ->option_text("N")
      ->check(CLI::Range(1, 1000));
  b.duration(verb, "--rebalance", to.rebalance_millis,
             "how long a stage stands still when its workers change; default: 1s");
  b.duration(verb, "--down-stabilization", to.down_stabilization_millis,
             "of the autoscaler, with `behavior`; default: 300s, without; need: 0s");
  b.value(verb, "--keda-phase", to.keda_phase, "at which second KEDA polls first; default: 0");
  b.value(verb, "--hpa-phase", to.hpa_phase,
          "at which second the autoscaler looks first; default: 7.5");
  b.value(verb, "--price", to.price, "of an hour of a pod, or of a node with --pods-per-node")
      ->check(CLI::Range(0.0, 1e6));
  b.value(verb, "-o,--output", to.output, "how it is printed")
      ->option_text("table|json|csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  b.value(verb, "--svg", to.svg_file, "a file to draw it in");
}

void add_try_verbs(Builder& b) {
  CLI::App* eval = b.verb("eval", "try a rule");
  eval->add_option("EXPR", b.options.inputs, "the rule")->expected(0, 1);
  b.value(eval, "--schema", b.options.schema_file, "an Avro schema file: the record's");
  b.value(eval, "--record", b.options.record_json, "the record as JSON; - reads standard input");
  b.value(eval, "--cases", b.options.cases_file, "JSON lines of cases; - reads standard input");
  CLI::App* avro = b.verb("avro", "bytes to JSON and back");
  avro->require_subcommand(1);
  for (const auto& [name, doc] : {std::pair{"decode", "a datum, or a container file, to JSON"},
                                  std::pair{"encode", "JSON to a datum, or to a container file"}}) {
    CLI::App* verb = avro->add_subcommand(name, doc);
    verb->add_option("INPUT", b.options.inputs, "a file, or - for standard input")->expected(0, 1);
    b.value(verb, "--schema", b.options.schema_file, "the writer's schema file");
    b.value(verb, "--reader", b.options.reader_file, "the reader's schema file");
    b.value(verb, "--framing", b.options.framing, "what is around a datum")
        ->option_text("bare|single-object")
        ->check(CLI::IsMember({"bare", "single-object"}));
    b.value(verb, "--cases", b.options.cases_file, "JSON lines of cases; - reads standard input");
    if (verb->get_name() == "encode")
      b.codec(verb, "lines of JSON become a container file; default: one datum, bare");
  }
  b.verb("version", "the version of this program");
  CLI::App* completion = b.verb("completion", "a script that completes this program's words");
  completion->add_option("SHELL", b.options.inputs, "the shell that reads it")
      ->required()
      ->expected(1)
      ->option_text("bash|zsh|fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  CLI::App* targets = b.verb("targets", "the names of a pipeline's targets");
  b.file(targets);
}

void add_all_verbs(Builder& b) {
  add_file_verbs(b);
  add_run_verbs(b);
  add_look_verbs(b);
  add_scale_verbs(b);
  add_simulate(b);
  add_try_verbs(b);
}

// "table|json|csv" as words; nothing for "N".
std::vector<std::string> choices_of(const CLI::Option& option) {
  std::vector<std::string> words;
  const std::string& text = option.get_option_text();
  if (!text.contains('|')) return words;
  for (const auto word : std::views::split(text, '|')) words.emplace_back(word.begin(), word.end());
  return words;
}

Takes takes_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  if (option.get_items_expected_max() == 0) return Takes::nothing;
  if (option.check_lname("target")) return Takes::target;
  const bool number = type.starts_with("INT") || type.starts_with("FLOAT");
  return number || !option.get_option_text().empty() ? Takes::word : Takes::file;
}

FlagWords words_of(const CLI::Option& option) {
  FlagWords flag;
  for (const std::string& name : option.get_snames()) flag.short_name = name;
  for (const std::string& name : option.get_lnames()) flag.long_name = name;
  flag.doc = option.get_description();
  flag.takes = takes_of(option);
  flag.choices = choices_of(option);
  return flag;
}

void add_words(const CLI::App& verb, const std::string& path, std::vector<VerbWords>& all) {
  VerbWords words;
  words.path = path;
  words.doc = verb.get_description();
  for (const CLI::Option* option : verb.get_options()) {
    if (!option->get_positional())
      words.flags.push_back(words_of(*option));
    else if (const auto choices = choices_of(*option); !choices.empty())
      words.choices = choices;
    else
      words.takes_files = true;
  }
  all.push_back(std::move(words));
  for (const CLI::App* inner : verb.get_subcommands({}))
    add_words(*inner, (path.empty() ? "" : path + " ") + inner->get_name(), all);
}

}  // namespace

Parsed parse_options(int argc, char** argv) {
  Parsed parsed;
  CLI::App app("Penstock feeds databases from a stream: every record once, from one pipeline file.",
               "penstock");
  app.formatter(std::make_shared<Help>());
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(kVersionText));
  Builder builder{app, parsed.options};
  add_all_verbs(builder);
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
    std::vector<VerbWords> all;
    add_words(app, "", all);
    parsed.stop = true;
    parsed.exit_code = 64;
    parsed.text = render(refusal(error.what(), {argv + 1, argv + argc}, all));
    return parsed;
  }
  const CLI::App* chosen = app.get_subcommands().front();
  parsed.options.verb = chosen->get_name();
  if (const auto inner = chosen->get_subcommands(); !inner.empty()) {
    parsed.options.verb += " " + inner.front()->get_name();
  }
  return parsed;
}

std::vector<VerbWords> all_words() {
  Options options;
  CLI::App app("", "penstock");
  app.set_version_flag("--version", std::string(kVersionText));
  Builder builder{app, options};
  add_all_verbs(builder);
  std::vector<VerbWords> all;
  add_words(app, "", all);
  return all;
}

}  // namespace penstock::app
