// tail_avro.h — the newest records of a topic as an Avro container file: `tail -o avro`.
//
// The file's schema is the topic's; records that were written under another one are resolved into
// it. What is no value of it is left out, and counted on standard error.
//
// Thread      any.
// Limits      the records are held in memory until all are read: at most --limit of each partition.
// Errors      U001 what the command line can not mean, U002 a topic without a schema.
#pragma once

#include "app/look.h"

namespace penstock::app {

// Refuses what makes no file: standard output on a terminal, several topics, --follow.
Result<void> check_tail_avro(const Options& options);

Result<int> tail_avro(const Options& options, const Looked& at, const plan::Topic& topic,
                      ops::Output& output);

}  // namespace penstock::app
