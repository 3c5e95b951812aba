#include "log/embedded/db.h"

#include "base/check.h"
#include "log/embedded/rocksdb_checksum.h"
#include "log/embedded/wal_check.h"

#include <rocksdb/db.h>
#include <rocksdb/experimental.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

namespace penstock::log {
namespace {

constexpr size_t kMiB = 1 << 20;
constexpr size_t kBlockCacheBytes = 16 * kMiB;
constexpr size_t kWriteBuffersBytes = 64 * kMiB;
constexpr size_t kChunksBufferBytes = 8 * kMiB;
// During replay: a buffer that fills up then is flushed and synced before the open ends.
constexpr size_t kReplayBufferBytes = 64 * kMiB;
constexpr size_t kSmallBufferBytes = 2 * kMiB;
constexpr size_t kWalBytes = 8 * kMiB;
constexpr size_t kBlobFileBytes = 32 * kMiB;
constexpr size_t kMinBlobBytes = 512;
constexpr int kOpenFiles = 256;

constexpr std::array<const char*, kFamilies> kNames = {"chunks", "ends", "groups", "schemas",
                                                       "topics", "meta", "state"};

rocksdb::Slice slice(ByteView bytes) { return {bytes.data(), bytes.size()}; }
ByteView view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

Failure failed(const rocksdb::Status& status, std::string_view doing) {
  return fail("L005"_code, std::string(doing) + ": " + status.ToString());
}

rocksdb::DBOptions folder_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.db_write_buffer_size = kWriteBuffersBytes;
  options.max_total_wal_size = kWalBytes;
  // A torn end is a write that nobody was told of. That it is the end, check_wal() has seen.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.avoid_flush_during_recovery = true;
  options.max_background_jobs = 2;
  options.max_open_files = kOpenFiles;
  options.max_file_opening_threads = 1;
  options.skip_stats_update_on_db_open = true;
  options.skip_checking_sst_file_sizes_on_db_open = true;
  options.keep_log_file_num = 2;
  options.max_log_file_size = kMiB;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions family_options(Family family,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = kSmallBufferBytes;
  options.arena_block_size = 256 << 10;
  if (family == Family::chunks) {
    options.write_buffer_size = kReplayBufferBytes;  // kChunksBufferBytes when open
    options.max_write_buffer_number = 3;
    // Chunks lie in blob files and only their keys in tables: compaction moves no records.
    options.enable_blob_files = true;
    options.min_blob_size = kMinBlobBytes;
    options.blob_file_size = kBlobFileBytes;
    // No collection, for it would copy live chunks: a file goes when retention took its last one.
    options.enable_blob_garbage_collection = false;
  }
  return options;
}

// A folder of before there was state has no such family, and looking does not make it.
void leave_out_missing(const std::string& folder,
                       std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
  std::vector<std::string> there;
  const auto listed = rocksdb::DB::ListColumnFamilies(folder_options(), folder, &there);
  if (!listed.ok()) return;  // what is wrong is told when opening
  if (std::ranges::find(there, families.back().name) == there.end()) families.pop_back();
}

}  // namespace

// ---- DbBatch

struct DbBatch::Impl {
  // Column family handles belong to a Db, so changes are kept by family until write().
  struct Change {
    Family family;
    bool put;
    std::string key;
    std::string own;      // value of put(key, value)
    ByteView head, tail;  // value of put(key, head, tail): the caller's bytes
    bool borrowed = false;
  };
  std::vector<Change> changes;
  rocksdb::WriteBatch writes;  // kept for its memory: growing anew copies megabytes
};

DbBatch::DbBatch() : impl_(std::make_unique<Impl>()) {}
DbBatch::~DbBatch() = default;
void DbBatch::put(Family family, ByteView key, ByteView value) {
  impl_->changes.push_back({family, true, std::string(key), std::string(value), {}, {}});
}
void DbBatch::put(Family family, ByteView key, ByteView head, ByteView tail) {
  impl_->changes.push_back({family, true, std::string(key), {}, head, tail, true});
}
void DbBatch::erase(Family family, ByteView key) {
  impl_->changes.push_back({family, false, std::string(key), {}, {}, {}});
}
void DbBatch::clear() { impl_->changes.clear(); }
bool DbBatch::empty() const { return impl_->changes.empty(); }

// ---- Value

struct Value::Impl {
  rocksdb::PinnableSlice slice;
};
Value::Value() : impl_(std::make_unique<Impl>()) {}
Value::~Value() = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(Value&&) noexcept = default;
ByteView Value::bytes() const { return view(impl_->slice); }

// ---- Cursor

struct Cursor::Impl {
  std::unique_ptr<rocksdb::Iterator> iterator;
};
Cursor::Cursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cursor::~Cursor() = default;
void Cursor::seek(ByteView key) { impl_->iterator->Seek(slice(key)); }
void Cursor::seek_for_previous(ByteView key) { impl_->iterator->SeekForPrev(slice(key)); }
void Cursor::next() { impl_->iterator->Next(); }
bool Cursor::valid() const { return impl_->iterator->Valid(); }
ByteView Cursor::key() const { return view(impl_->iterator->key()); }
ByteView Cursor::value() const { return view(impl_->iterator->value()); }
Result<void> Cursor::status() const {
  if (!impl_->iterator->status().ok()) return failed(impl_->iterator->status(), "reading");
  return {};
}

// ---- Db

struct Db::Impl {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  std::atomic<bool> broken = false;  // after a failed write the log's numbers may have a gap
  rocksdb::ColumnFamilyHandle* of(Family family) const {
    return families[static_cast<size_t>(family)];
  }
};

Db::Db(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Db::~Db() {
  for (auto* family : impl_->families) impl_->db->DestroyColumnFamilyHandle(family);
  impl_->db->Close();
}

Result<std::unique_ptr<Db>> Db::open(const std::string& folder, bool read_only) {
  PENSTOCK_CHECK(rocksdb_checksum("123456789") == 0xe3069283);
  PENSTOCK_TRY_VOID(check_wal(folder));
  const auto cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, family_options(Family::meta, cache));
  for (size_t i = 0; i < kFamilies; ++i) {
    families.emplace_back(kNames[i], family_options(static_cast<Family>(i), cache));
  }
  if (read_only) leave_out_missing(folder, families);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto status =
      read_only
          ? rocksdb::DB::OpenForReadOnly(folder_options(), folder, families, &handles, &opened)
          : rocksdb::DB::Open(folder_options(), folder, families, &handles, &opened);
  if (!status.ok()) {
    return fail("L001"_code, "cannot open the data folder " + folder + ": " + status.ToString());
  }
  auto impl = std::make_unique<Impl>();
  impl->db.reset(opened);
  opened->DestroyColumnFamilyHandle(handles[0]);
  impl->families.assign(handles.begin() + 1, handles.end());
  std::unique_ptr<Db> db(new Db(std::move(impl)));
  if (read_only) return db;
  const auto set = opened->SetOptions(db->impl_->of(Family::chunks),
                                      {{"write_buffer_size", std::to_string(kChunksBufferBytes)}});
  if (!set.ok()) return fail("L001"_code, "data folder " + folder + ": " + set.ToString());
  return db;
}

Result<void> Db::write(DbBatch& batch, bool sync) {
  rocksdb::WriteBatch& writes = batch.impl_->writes;
  writes.Clear();
  for (const auto& change : batch.impl_->changes) {
    auto* family = impl_->of(change.family);
    if (!change.put) {
      writes.Delete(family, change.key);
    } else if (change.borrowed) {
      const rocksdb::Slice key(change.key);
      const std::array<rocksdb::Slice, 2> parts = {slice(change.head), slice(change.tail)};
      writes.Put(family, rocksdb::SliceParts(&key, 1), rocksdb::SliceParts(parts.data(), 2));
    } else {
      writes.Put(family, change.key, change.own);
    }
  }
  rocksdb::WriteOptions options;
  options.sync = sync;
  if (impl_->broken) return failed(rocksdb::Status::IOError("an earlier write failed"), "writing");
  if (const auto status = impl_->db->Write(options, &writes); !status.ok()) {
    impl_->broken = true;
    return failed(status, "writing");
  }
  return {};
}

Result<bool> Db::get(Family family, ByteView key, Value& value) const {
  value.impl_->slice.Reset();
  rocksdb::ReadOptions options;
  // A chunk has a checksum of its own, which its reader verifies.
  options.verify_checksums = family != Family::chunks;
  const auto status = impl_->db->Get(options, impl_->of(family), slice(key), &value.impl_->slice);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return failed(status, "reading");
  return true;
}

std::unique_ptr<Cursor> Db::cursor(Family family) const {
  auto impl = std::make_unique<Cursor::Impl>();
  impl->iterator.reset(impl_->db->NewIterator(rocksdb::ReadOptions(), impl_->of(family)));
  return std::unique_ptr<Cursor>(new Cursor(std::move(impl)));
}

void Db::suggest_compaction(Family family, ByteView first, ByteView last) {
  const rocksdb::Slice begin = slice(first), end = slice(last);
  // Only a hint: when it is refused, the space is given back by a later compaction.
  rocksdb::experimental::SuggestCompactRange(impl_->db.get(), impl_->of(family), &begin, &end)
      .PermitUncheckedError();
}

Result<void> Db::flush() {
  if (const auto status = impl_->db->Flush(rocksdb::FlushOptions(), impl_->families);
      !status.ok()) {
    return failed(status, "flushing");
  }
  return {};
}

}  // namespace penstock::log
