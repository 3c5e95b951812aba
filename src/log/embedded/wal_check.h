// wal_check.h — is a write missing in the middle of the folder's write-ahead log?
//
// RocksDB replays its log up to the first damage. That is right for the end of the log: the last
// write was torn by a power cut, and nobody was told that it is durable. It is wrong in the middle:
// whole writes that follow would be lost without a word. RocksDB cannot tell one from the other,
// we can: every write is synced before the next one begins, and carries its sequence number. After
// a torn end the numbers go on without a gap (or there is nothing more); after damage in the middle
// they do not.
//
// Thread      a free function; before the folder is opened.
// Limits      reads the files *.log of the folder whole, one at a time (about 8 MiB in all).
// Errors      L010 with the file and the place where writes are missing; L001 when a file cannot be
//             read. Damage in the last write cannot be told from a torn one.
//
//     PENSTOCK_TRY_VOID(check_wal(folder));      // then open it with point-in-time recovery
#pragma once

#include "base/error.h"

#include <string>

namespace penstock::log {

Result<void> check_wal(const std::string& folder);

}  // namespace penstock::log
