// tls.h — TLS over a socket that does not block, verified.
//
// At least TLS 1.2; the certificate has to lead to a known authority and to name the host. There is
// no switch that turns this off.
//
// Thread      a context from any thread; a stream has one owner.
// Lifetime    the stream never closes its socket; it ends before it.
// Errors      H003 when the list of authorities, the certificate or its key cannot be read.
//
//     PENSTOCK_TRY(context, TlsContext::make(""));
//     TlsStream stream(*context, fd, "sts.amazonaws.com");
//     if (stream.handshake() == TlsStep::want_read) …
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace penstock::http {

enum class TlsStep : uint8_t { done, want_read, want_write, closed, failed };

class TlsContext {
 public:
  // `authorities`: a PEM file; "" = SSL_CERT_FILE and SSL_CERT_DIR, else the system's list.
  // `certificate` and `key`: PEM files, for servers that ask who we are; "" = none.
  static Result<std::shared_ptr<TlsContext>> make(const std::string& authorities,
                                                  const std::string& certificate = {},
                                                  const std::string& key = {});
  ~TlsContext();

  struct Library;

 private:
  friend class TlsStream;
  explicit TlsContext(std::unique_ptr<Library> library);
  std::unique_ptr<Library> library_;
};

class TlsStream {
 public:
  TlsStream(TlsContext& context, int fd, const std::string& host);
  ~TlsStream();

  TlsStep handshake();
  // done: `count` bytes, at least one.
  TlsStep read(char* into, size_t room, size_t& count);
  TlsStep write(std::string_view bytes, size_t& count);
  // After failed: why, in one line.
  std::string trouble() const { return trouble_; }

 private:
  struct Library;
  TlsStep step_of(int returned);
  std::unique_ptr<Library> library_;
  std::string trouble_;
};

}  // namespace penstock::http
