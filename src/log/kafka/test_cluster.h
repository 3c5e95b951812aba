// test_cluster.h — what tests of sinks on a real cluster stand on.
//
// Thread      one.
//
//     Cluster cluster;
//     Member member(cluster, waker);
//     auto sink = cluster.log->open_sink({cluster.group, {cluster.in}, {cluster.out}, "w"}, waker);
#pragma once

#include "flow/log_contract.h"
#include "log/kafka/admin.h"
#include "log/kafka/kafka_log.h"
#include "log/kafka/producing.h"
#include "log/kafka/test_broker.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock::log::kafka {

using flow::CommitEnd;
using flow::ContractWaker;
using flow::ContractWorker;

// A cluster's log under a fresh name, and beside it the producing half by itself.
struct Cluster {
  explicit Cluster(Settings with = test_settings(fresh_name()))
      : settings(std::move(with)), name(settings.pipeline) {
    auto opened = KafkaLog::open(settings);
    if (!opened) FAIL(render(opened.error()));
    log = std::move(*opened);
    auto asked = Admin::open(settings);
    REQUIRE(asked.has_value());
    admin = std::move(*asked);
    auto produces = Producing::open(*admin, {});
    REQUIRE(produces.has_value());
    producing = std::move(*produces);
    in = name + ".in";
    out = name + ".out";
    group = name + ".g";
    flow::contract_topics(*log, {{.name = in}, {.name = out}});
  }

  Settings settings;
  std::string name, in, out, group;
  std::unique_ptr<KafkaLog> log;
  std::unique_ptr<Admin> admin;
  std::unique_ptr<Producing> producing;
};

inline flow::SinkEvent event_of(flow::Sink& sink, ContractWaker& waker) {
  flow::SinkEvent event;
  flow::contract_wait(waker, "an event of the sink", [&] {
    event = sink.poll();
    return !std::holds_alternative<flow::Waiting>(event);
  });
  return event;
}

// A member of the group by itself, so that claims and commits can be seen to fail.
struct Member {
  Member(Cluster& cluster, ContractWaker& waker) {
    auto opened = cluster.log->open_source({cluster.group, {cluster.in}, "w"}, waker);
    REQUIRE(opened.has_value());
    source = std::move(*opened);
    flow::contract_wait(waker, "Assigned", [&] {
      flow::SourceEvent event = source->poll({});
      if (auto* got = std::get_if<flow::Assigned>(&event)) membership = got->membership;
      return membership != nullptr;
    });
  }
  std::unique_ptr<flow::Source> source;
  flow::Membership membership;
};

inline flow::Fates fates_of(uint64_t records) {
  flow::Fates fates;
  fates.in = records;
  fates.out.add("out", records);
  return fates;
}

inline void write_text(flow::LogSink& sink, wire::RecordsBuilder& records,
                       const std::string& value) {
  records.append({.key = value, .value = value, .timestamp = 1, .has_key = true});
  REQUIRE(sink.write({0, 0, records.count(), Millis{1}, Millis{1}, records.bytes()}) ==
          flow::WriteAnswer::accepted);
}

}  // namespace penstock::log::kafka
