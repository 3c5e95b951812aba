// client.h — what the programs of this folder share: clients with Penstock's own properties, and an
// end at the first error.
//
// The properties come from log/kafka, so that what is measured beside Penstock speaks to the broker
// in the same way.
//
// Thread      one.
//
//     Client consumer = make(brokers, Role::consumer, {{"group.id", "g"}});
#pragma once

#include "log/kafka/handles.h"
#include "log/kafka/settings.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::bench {

using log::kafka::Client;
using log::kafka::Role;
using Properties = std::vector<std::pair<std::string, std::string>>;

// Prints why, exits 1.
[[noreturn]] void give_up(std::string_view what, std::string_view why);
void check(rd_kafka_resp_err_t code, std::string_view what);
void check(rd_kafka_error_t* error, std::string_view what);  // frees it

Client make(const std::string& brokers, Role role, const Properties& over);
int32_t partitions_of(rd_kafka_t* client, const std::string& topic);

// Produces one record that is copied; waits where the client has no room.
void produce(rd_kafka_t* client, rd_kafka_topic_t* topic, int32_t partition, std::string_view key,
             std::string_view value);

}  // namespace penstock::bench
