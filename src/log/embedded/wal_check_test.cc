// Damage in the write-ahead log: what was confirmed is there after the opening, or the opening says
// that it is not. Only the last write, torn by a power cut, may be missing without a word.
#include "log/embedded/wal_check.h"

#include "base/random.h"
#include "flow/log_contract.h"
#include "log/embedded/embedded_log.h"
#include "log/embedded/temp_folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace penstock::log {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

constexpr int kWrites = 40;
constexpr size_t kPageBytes = 4096;

std::string value_of(int number) {
  // Sizes on both sides of a page and of the log's blocks of 32 KiB.
  const size_t bytes = number % 7 == 0 ? 40'000 : number % 3 == 0 ? 5'000 : 300;
  std::string value = std::to_string(number) + ":";
  Random random(static_cast<uint64_t>(number));
  while (value.size() < bytes) value.push_back(static_cast<char>(random.below(256)));
  return value;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::vector<fs::path> wal_files(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".log" && fs::file_size(entry) > 0) files.push_back(entry);
  }
  std::ranges::sort(files);
  return files;
}

// A folder whose log is all that it has, and copies of it to damage.
class Written {
 public:
  Written() {
    auto log = open_embedded_log({.folder = folder_.path(), .sync = false});
    REQUIRE(log);
    flow::contract_topics(**log, {{.name = "t"}});
    for (int n = 0; n < kWrites; ++n) append(**log, n);
    const auto files = wal_files(folder_.path());
    REQUIRE(files.size() == 1);
    before_last_ = fs::file_size(files[0]);
    append(**log, kWrites);
    log->reset();
    name_ = files[0].filename().string();
    wal_ = read_file(files[0]);
  }
  const std::string& wal() const { return wal_; }
  // Where the last write begins.
  size_t before_last() const { return before_last_; }

  struct Opened {
    Code code;          // none: it opened
    size_t values = 0;  // that many, from the first
  };
  // Opens a copy whose log has these bytes.
  Opened open_with(const std::string& wal, bool read_only) const {
    const TempFolder copy;
    fs::copy(folder_.path(), copy.path(), fs::copy_options::recursive);
    write_file(fs::path(copy.path()) / name_, wal);
    auto log = open_embedded_log({.folder = copy.path(), .read_only = read_only, .sync = false});
    if (!log) {
      CHECK(read_file(fs::path(copy.path()) / name_) == wal);
      return {log.error().code, 0};
    }
    if (!(*log)->topics() || (*log)->topics()->empty()) return {};
    const Strings values = flow::contract_read(**log, "t", 0);
    for (size_t n = 0; n < values.size(); ++n) CHECK(values[n] == value_of(static_cast<int>(n)));
    if (!read_only) check_goes_on(copy.path(), std::move(*log), values.size());
    return {{}, values.size()};
  }

 private:
  static void append(flow::Log& log, int number) {
    flow::contract_append(log, "t", 0, {value_of(number)});
  }
  // What is written after the opening is there after the next one.
  static void check_goes_on(const std::string& folder, std::unique_ptr<EmbeddedLog> log,
                            size_t values) {
    for (int round = 0; round < 2; ++round) {
      flow::contract_append(*log, "t", 0, {"more"});
      log.reset();
      auto again = open_embedded_log({.folder = folder, .sync = false});
      REQUIRE_MESSAGE(again.has_value(), one_line(again.error()));
      log = std::move(*again);
    }
    CHECK(flow::contract_read(*log, "t", 0).size() == values + 2);
  }

  TempFolder folder_;
  std::string name_, wal_;
  size_t before_last_ = 0;
};

TEST_CASE("writes are whole wherever the end of a block cuts them") {
  const TempFolder folder;
  auto log = open_embedded_log({.folder = folder.path(), .sync = false});
  REQUIRE(log);
  flow::contract_topics(**log, {{.name = "t"}});
  // Small ones of many lengths: some three hundred blocks, whose ends fall into some thirty heads.
  Random random(7);
  for (int n = 0; n < 30'000; ++n) {
    flow::contract_append(**log, "t", 0, {std::string(random.below(64), 'x')});
  }
  log->reset();
  CHECK(check_wal(folder.path()).has_value());
}

TEST_CASE("a torn last write is passed, and the folder goes on") {
  const Written written;
  const std::string& wal = written.wal();
  const size_t begin = written.before_last(), size = wal.size();
  REQUIRE(begin < size);
  CHECK(written.open_with(wal, false).values == kWrites + 1);
  for (const size_t cut : {begin, begin + 1, begin + 7, (begin + size) / 2, size - 1}) {
    CAPTURE(cut);
    for (const bool read_only : {false, true}) {
      std::string torn = wal.substr(0, cut);
      CHECK(written.open_with(torn, read_only).values == kWrites);
      torn.resize(size);  // its pages were never written, but its length was
      CHECK(written.open_with(torn, read_only).values == kWrites);
    }
  }
  // A page of it is missing, those behind it are there.
  std::string torn = wal;
  std::fill_n(torn.begin() + static_cast<std::ptrdiff_t>(begin), 200, '\0');
  CHECK(written.open_with(torn, false).values == kWrites);
}

TEST_CASE("the first write of all was torn: the folder begins anew, and opens ever after") {
  const TempFolder folder;
  for (int round = 0; round < 3; ++round) {
    auto log = open_embedded_log({.folder = folder.path(), .sync = false});
    REQUIRE_MESSAGE(log.has_value(), one_line(log.error()));
    flow::contract_topics(**log, {{.name = "t"}});
    flow::contract_append(**log, "t", 0, {value_of(round)});
    log->reset();
    const auto files = wal_files(folder.path());
    if (round == 0) write_file(files.at(0), read_file(files.at(0)).substr(0, 30));
  }
  auto log = open_embedded_log({.folder = folder.path(), .sync = false});
  REQUIRE(log);
  CHECK(flow::contract_read(**log, "t", 0) == Strings{value_of(1), value_of(2)});
}

TEST_CASE("damage in the middle is refused: never fewer records without a word") {
  const Written written;
  Random random(20261128);
  size_t refused = 0;
  constexpr size_t kTries = 150;
  for (size_t i = 0; i < kTries; ++i) {
    std::string wal = written.wal();
    const size_t at = i < 6 ? i * 600 : random.below(written.before_last());  // also the begin
    if (i % 3 == 0) {
      wal[at] = static_cast<char>(wal[at] ^ (1 << random.below(8)));
    } else if (i % 3 == 1) {  // a page is zeros
      const size_t page = at / kPageBytes * kPageBytes;
      const size_t end = std::min(page + kPageBytes, written.before_last());
      for (size_t n = page; n < end; ++n) wal[n] = '\0';
    } else {  // a lying length and all behind it up to the end of the block
      const size_t end = std::min((at | 0x7fff) + 1, written.before_last());
      for (size_t n = at; n < end; ++n) wal[n] = static_cast<char>(random.below(256));
    }
    CAPTURE(i);
    CAPTURE(at);
    const auto opened = written.open_with(wal, i % 2 == 0);
    const bool whole = opened.code == Code{} && opened.values == kWrites + 1;
    CHECK((whole || opened.code == "L010"_code));
    refused += opened.code == "L010"_code;
  }
  CHECK(refused > kTries * 9 / 10);  // the rest hit padding between blocks
}

TEST_CASE("the length of any write is damaged: what follows is found all the same") {
  const Written written;
  // Small writes at the end of the last block: a length that leads behind the end of the file.
  const std::string& wal = written.wal();
  for (size_t back = 8; back < 400; back += 7) {
    std::string damaged = wal;
    const size_t at = written.before_last() - back;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x7f);
    CAPTURE(back);
    const auto opened = written.open_with(damaged, true);
    CHECK((opened.code == "L010"_code || opened.values == kWrites + 1));
  }
}

TEST_CASE("the end of an older log file is cut: the newer one shows it") {
  TempFolder folder;
  for (int round = 0; round < 3; ++round) {
    auto log = open_embedded_log({.folder = folder.path(), .sync = false});
    REQUIRE(log);
    flow::contract_topics(**log, {{.name = "t"}});
    flow::contract_append(**log, "t", 0, {value_of(1), value_of(2)});
  }
  const auto files = wal_files(folder.path());
  REQUIRE(files.size() == 3);
  const std::string middle = read_file(files[1]);
  write_file(files[1], middle.substr(0, middle.size() - 100));
  const auto cut = open_embedded_log({.folder = folder.path()});
  REQUIRE(!cut);
  CHECK(cut.error().code == "L010"_code);
  CHECK(cut.error().message.find(files[2].string() + ": writes before byte ") == 0);
  fs::remove(files[1]);
  CHECK(open_embedded_log({.folder = folder.path()}).error().code == "L010"_code);
  write_file(files[1], middle);
  CHECK(open_embedded_log({.folder = folder.path()}));
}

}  // namespace
}  // namespace penstock::log
