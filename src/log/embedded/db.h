// db.h — RocksDB, as far as the embedded log needs it. The only file that includes it is db.cc.
//
// Thread      Db from any thread; a DbBatch, Cursor or Value has one owner.
// Lifetime    the Db outlives every Cursor and Value that came from it.
// Limits      block cache 16 MiB, write buffers 64 MiB, write-ahead log 8 MiB (what a restart
//             after kill -9 has to replay).
// Errors      L001 and L010 when opening; L005 when the folder fails later (disk full, I/O error):
//             after a write that failed no other is tried.
//
//     DbBatch batch;
//     batch.put(Family::ends, key, {value});
//     PENSTOCK_TRY_VOID(db->write(batch, true));      // durable when it returns
#pragma once

#include "base/error.h"
#include "base/units.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace penstock::log {

enum class Family : uint8_t { chunks, ends, groups, schemas, topics, meta, state };
inline constexpr size_t kFamilies = 7;

// Changes that become durable and visible together, or not at all. Keeps its memory over clear().
class DbBatch {
 public:
  DbBatch();
  ~DbBatch();
  DbBatch(const DbBatch&) = delete;
  DbBatch& operator=(const DbBatch&) = delete;
  void put(Family family, ByteView key, ByteView value);
  // The value is `head` and then `tail`.
  void put(Family family, ByteView key, ByteView head, ByteView tail);
  void erase(Family family, ByteView key);
  void clear();
  bool empty() const;

 private:
  friend class Db;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A value that was read; pins or owns its bytes.
class Value {
 public:
  Value();
  ~Value();
  Value(Value&&) noexcept;
  Value& operator=(Value&&) noexcept;
  ByteView bytes() const;

 private:
  friend class Db;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Walks one family in key order, over the state at its making.
class Cursor {
 public:
  ~Cursor();
  void seek(ByteView key);               // the first key >= `key`
  void seek_for_previous(ByteView key);  // the last key <= `key`
  void next();
  bool valid() const;
  ByteView key() const;    // until the next move
  ByteView value() const;  // likewise
  // An error met on the way: the cursor is not valid then.
  Result<void> status() const;

 private:
  friend class Db;
  struct Impl;
  explicit Cursor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Db {
 public:
  // `read_only` leaves every byte of the folder as it is.
  static Result<std::unique_ptr<Db>> open(const std::string& folder, bool read_only);
  ~Db();
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  // One writer at a time syncs what it must not lose before the next write begins (wal_check.h).
  Result<void> write(DbBatch& batch, bool sync);
  // False: there is no such key.
  Result<bool> get(Family family, ByteView key, Value& value) const;
  std::unique_ptr<Cursor> cursor(Family family) const;
  // Tells that many keys of this range were erased: the space is given back in the background.
  void suggest_compaction(Family family, ByteView first, ByteView last);
  // Writes what is in memory to tables; for tests and for measuring.
  Result<void> flush();

 private:
  struct Impl;
  explicit Db(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::log
