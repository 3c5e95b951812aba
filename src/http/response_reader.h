// response_reader.h — an HTTP/1.1 answer, read as its bytes come.
//
// Strict: lines end in CRLF, no folded headers, no Transfer-Encoding but "chunked", no two
// different lengths. What a server says is bounded before it is kept.
//
// Thread      one owner.
// Limits      head and trailers 64 KiB each, 200 headers; the body by the caller.
//
//     ResponseReader reader(4 * 1024 * 1024, false);
//     while (reader.feed(bytes) == ReadState::more) …
//     Response response = reader.take();
#pragma once

#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::http {

enum class ReadState : uint8_t { more, done, malformed, too_large };

class ResponseReader {
 public:
  // `without_body`: the answer to HEAD, or to CONNECT.
  ResponseReader(size_t max_body_bytes, bool without_body)
      : max_body_(max_body_bytes), without_body_(without_body) {}

  ReadState feed(std::string_view bytes);
  // The connection's end: an answer without a length ends with it.
  ReadState finish();
  // Has a byte come?
  bool started() const { return started_; }
  // May the connection take another request?
  bool keep_alive() const { return keep_alive_ && !surplus_; }
  Response take() { return std::move(response_); }

 private:
  enum class Phase : uint8_t { head, counted, until_close, chunk_size, chunk, chunk_end, trailer };

  ReadState feed_head(std::string_view& bytes);
  ReadState feed_counted(std::string_view& bytes);
  ReadState feed_chunk_line(std::string_view& bytes);
  ReadState begin_chunk(std::string_view line);
  ReadState read_head(std::string_view head);
  ReadState begin_body();
  ReadState end(ReadState state);
  // Moves one line, without its end, out of `bytes` into line_; false when it is not complete.
  bool take_line(std::string_view& bytes);

  size_t max_body_;
  bool without_body_;
  bool started_ = false;
  bool keep_alive_ = true;
  bool surplus_ = false;
  Phase phase_ = Phase::head;
  ReadState state_ = ReadState::more;
  std::string line_;       // the head, or a line of the chunked form, as far as it came
  size_t left_ = 0;        // bytes of the body, or of this chunk, still to come
  size_t line_bytes_ = 0;  // trailers so far
  Response response_;
};

}  // namespace penstock::http
