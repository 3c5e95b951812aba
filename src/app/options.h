// options.h — the command line as values.
//
// Every flag is also the environment variable PENSTOCK_<FLAG> ("--until-idle" is
// PENSTOCK_UNTIL_IDLE).
//
// Thread      values.
// Errors      U… (exit 64) with the nearest verb or flag.
#pragma once

#include "base/error.h"
#include "ops/drain.h"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::app {

enum class Format : uint8_t { table, wide, json, yaml, avro };  // avro: tail's

// simulate
struct SimulationOptions {
  std::string load_file;  // --load
  bool recorded = false;
  std::string scaling = "both";
  std::string speed, store_limit, kept;  // N, or STAGE=N,…
  int64_t catch_up_millis = 60'000, pod_start_millis = 5'000, node_start_millis = 90'000;
  int64_t rebalance_millis = 1'000;
  int64_t down_stabilization_millis = -1;  // -1: as it is
  std::string keda_phase, hpa_phase;       // seconds: N, or STAGE=N,…
  int32_t pods_per_node = 0;
  double price = 0;
  std::string output = "table", svg_file;
};

struct Options {
  std::string verb;                 // "run", "avro decode", …
  std::vector<std::string> files;   // FILE…; the first names the pipeline where a verb takes one
  std::vector<std::string> inputs;  // send: the files to send; others: further words
  std::string target;
  std::string stage;
  std::string data_dir;  // --data
  std::string listen;    // run, produce: where health and metrics are answered; "" = nowhere
  std::string to;        // send
  std::string name;      // test -k
  std::string junit_file;
  std::string schema_file, reader_file, framing = "bare", record_json, cases_file;
  std::string codec;                 // of a container file: tail -o avro, avro encode
  std::string require = "backward";  // schema check
  Format format = Format::table;
  SimulationOptions simulation;
  int workers = 1;
  int64_t limit = 10;                        // tail, dead -n
  int64_t grace_millis = ops::kGraceMillis;  // run, produce
  int64_t every_millis = 5'000;              // scaler: between two looks
  int64_t catch_up_millis = 60'000;          // scaler: what waits is to be done within
  double rate_per_second = 0;                // send, run --rate; 0: as fast as it goes
  bool until_idle = false, again = false, raw = false, skip_bad = false, deny_warnings = false,
       registry = false, fail_on_dead = false, follow = false, no_producers = false,
       autoscale = false, redshift_streaming = false;
};

// What parse_options() found: options to go on with, or a text to print (help, version) and an exit
// code.
struct Parsed {
  Options options;
  bool stop = false;
  std::string text;
  int exit_code = 0;
};
Parsed parse_options(int argc, char** argv);

}  // namespace penstock::app
