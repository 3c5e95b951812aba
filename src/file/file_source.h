// file_source.h — the rows of a csv, jsonl or Avro container file as records, for `send`.
//
// The input is named by its content, "file:<sha256>"; the offset of a row is its index. So a file
// that was sent in part goes on where its committed position is, whatever it is called by then.
//
// Thread      the worker that owns it.
// Lifetime    batches own their bytes.
// Limits      files ≤ 1 GiB, rows ≤ 1 MiB.
// Errors      F001, F002, F003, F006. A row that does not fit stops the source (SourceFault, with
//             its place) unless skip_bad; then bad_rows() tells, and its offset stays empty.
//
//     PENSTOCK_TRY(source, FileSource::open({.path = "a.csv", .schema = topic.schema}));
//     spec.inputs = {source->name()};
#pragma once

#include "avro/framing.h"
#include "base/clock.h"
#include "file/pace.h"
#include "file/rows.h"
#include "flow/log.h"

#include <memory>
#include <string>
#include <vector>

namespace penstock::file {

struct FileSourceSpec {
  std::string path = {};
  avro::SchemaPtr schema = nullptr;  // of the topic
  avro::Framing framing = avro::Framing::single_object;
  bool skip_bad = false;
  uint64_t rate_per_second = 0;  // 0: as fast as it goes
  const Clock* clock = nullptr;  // timestamps and rate; null: timestamps 0, no rate
};

class FileSource final : public flow::Source {
 public:
  static Result<std::unique_ptr<FileSource>> open(FileSourceSpec spec);

  const std::string& name() const { return name_; }
  // Rows left out so far (skip_bad): the first thousand with their places, and how many in all.
  // Grows while it is read; for a look when the source is gone.
  std::shared_ptr<const std::vector<Error>> bad_rows() const { return bad_rows_; }
  uint64_t bad_count() const { return bad_count_; }
  // For a progress bar.
  uint64_t rows_done() const { return static_cast<uint64_t>(next_); }
  uint64_t rows_total() const { return rows_total_; }

  flow::SourceEvent poll(const flow::PollLimits& limits) override;
  void start(Partition partition, Offset next) override;
  void answer() override;
  Offset position(Partition partition) const override;
  void pause(bool paused) override { paused_ = paused; }
  bool at_end() const override { return started_ && at_end_; }
  flow::Membership membership() const override { return nullptr; }
  void commit_group(const flow::Commit&) override {}
  void close() override { closed_ = true; }

 private:
  explicit FileSource(FileSourceSpec spec)
      : spec_(std::move(spec)), pace_(spec_.rate_per_second, spec_.clock) {}
  Result<std::unique_ptr<Rows>> rewound() const;
  row::RawBatch read(const flow::PollLimits& limits);

  FileSourceSpec spec_;
  std::string text_, name_;
  std::unique_ptr<Rows> rows_;
  std::shared_ptr<std::vector<Error>> bad_rows_ = std::make_shared<std::vector<Error>>();
  uint64_t bad_count_ = 0, rows_total_ = 0;
  int64_t next_ = 0;
  Pace pace_;
  bool announced_ = false, answered_ = false, started_ = false, paused_ = false, at_end_ = false,
       closed_ = false;
  std::optional<Error> fault_;
};

// Where the row of this offset begins, in a file that was sent.
Place place_of_row(const FileSourceSpec& spec, Offset row);

}  // namespace penstock::file
