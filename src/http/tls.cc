#include "http/tls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace penstock::http {

struct TlsContext::Library {
  SSL_CTX* context = nullptr;
  Library() = default;
  Library(const Library&) = delete;
  ~Library() { SSL_CTX_free(context); }
};

struct TlsStream::Library {
  SSL* stream = nullptr;
  Library() = default;
  Library(const Library&) = delete;
  ~Library() { SSL_free(stream); }
};

namespace {

// Our OpenSSL is linked in and knows no folder of its own: look where systems keep theirs.
constexpr std::array kSystemLists = {"/etc/ssl/certs/ca-certificates.crt",
                                     "/etc/pki/tls/certs/ca-bundle.crt",
                                     "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                                     "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

std::string last_error() {
  const unsigned long code = ERR_get_error();
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return code == 0 ? "no reason given" : std::string(text.data());
}

bool load_system(SSL_CTX* context) {
  const char* file = std::getenv("SSL_CERT_FILE");
  const char* folder = std::getenv("SSL_CERT_DIR");
  if (file != nullptr || folder != nullptr) {
    return SSL_CTX_load_verify_locations(context, file, folder) == 1;
  }
  for (const char* list : kSystemLists) {
    if (access(list, R_OK) == 0) return SSL_CTX_load_verify_locations(context, list, nullptr) == 1;
  }
  return true;  // none: then no certificate will be good, and the handshake says so
}

bool is_numeric(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<Library> library) : library_(std::move(library)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::make(const std::string& authorities,
                                                     const std::string& certificate,
                                                     const std::string& key) {
  auto library = std::make_unique<Library>();
  library->context = SSL_CTX_new(TLS_client_method());
  if (library->context == nullptr) {
    return fail("H003"_code, fmt::format("TLS cannot begin: {}", last_error()));
  }
  SSL_CTX_set_min_proto_version(library->context, TLS1_2_VERSION);
  SSL_CTX_set_verify(library->context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(library->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                         SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                         SSL_MODE_RELEASE_BUFFERS);
  const bool loaded =
      authorities.empty()
          ? load_system(library->context)
          : SSL_CTX_load_verify_locations(library->context, authorities.c_str(), nullptr) == 1;
  if (!loaded) {
    return fail("H003"_code,
                fmt::format("the list of certificate authorities {} cannot be read: {}",
                            authorities, last_error()))
        .because("the file is missing or holds no PEM certificates")
        .cure("name a PEM file of certificates");
  }
  if (!certificate.empty()) {
    SSL_CTX* context = library->context;
    const bool ours = SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) == 1 &&
                      SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1;
    if (!ours || SSL_CTX_check_private_key(context) != 1) {
      return fail("H003"_code, fmt::format("the certificate {} and the key {} cannot be used: {}",
                                           certificate, key, last_error()))
          .because("a file is missing, holds no PEM, or the key is not the certificate's")
          .cure("name two PEM files that belong together");
    }
  }
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(library)));
}

TlsStream::TlsStream(TlsContext& context, int fd, const std::string& host)
    : library_(std::make_unique<Library>()) {
  SSL* stream = library_->stream = SSL_new(context.library_->context);
  SSL_set_fd(stream, fd);
  SSL_set_connect_state(stream);
  if (is_numeric(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream), host.c_str());
  } else {
    SSL_set1_host(stream, host.c_str());
    // What SSL_set_tlsext_host_name() is, without its old-style cast.
    std::string name = host;
    SSL_ctrl(stream, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }
}

TlsStream::~TlsStream() = default;

TlsStep TlsStream::step_of(int returned) {
  switch (SSL_get_error(library_->stream, returned)) {
    case SSL_ERROR_NONE:
      return TlsStep::done;
    case SSL_ERROR_WANT_READ:
      return TlsStep::want_read;
    case SSL_ERROR_WANT_WRITE:
      return TlsStep::want_write;
    case SSL_ERROR_ZERO_RETURN:
      return TlsStep::closed;
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      trouble_ = "the connection ended inside TLS";
      return TlsStep::closed;
    default:
      break;
  }
  const long verdict = SSL_get_verify_result(library_->stream);
  if (verdict != X509_V_OK) {
    ERR_clear_error();
    trouble_ = fmt::format("the server's certificate is refused: {}",
                           X509_verify_cert_error_string(verdict));
  } else {
    trouble_ = last_error();
  }
  return trouble_.contains("unexpected eof") ? TlsStep::closed : TlsStep::failed;
}

TlsStep TlsStream::handshake() {
  ERR_clear_error();
  return step_of(SSL_do_handshake(library_->stream));
}

TlsStep TlsStream::read(char* into, size_t room, size_t& count) {
  ERR_clear_error();
  return step_of(SSL_read_ex(library_->stream, into, room, &count));
}

TlsStep TlsStream::write(std::string_view bytes, size_t& count) {
  ERR_clear_error();
  return step_of(SSL_write_ex(library_->stream, bytes.data(), bytes.size(), &count));
}

}  // namespace penstock::http
