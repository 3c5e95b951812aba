#include "log/kafka/client_side.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace penstock::log::kafka {
namespace {

constexpr size_t kMaxLines = 64;
constexpr size_t kMaxLineBytes = 512;
constexpr int kRefusedWeight = 5;

using Shared = std::shared_ptr<ClientSide>;

class Sides {
 public:
  void add(const rd_kafka_t* client, Shared side) {
    const std::scoped_lock lock(mutex_);
    sides_[client] = std::move(side);
  }
  void remove(const rd_kafka_t* client) {
    const std::scoped_lock lock(mutex_);
    sides_.erase(client);
  }
  Shared find(const rd_kafka_t* client) {
    const std::scoped_lock lock(mutex_);
    const auto found = sides_.find(client);
    return found == sides_.end() ? nullptr : found->second;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<const rd_kafka_t*, Shared> sides_;
};

Sides& sides() {
  static Sides* const all = new Sides;  // its threads outlive main()
  return *all;
}

// How much a trouble explains: a refused login explains why all brokers are down.
int weight_of(int code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__FATAL:
      return 7;
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      return 6;
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return kRefusedWeight;
    case RD_KAFKA_RESP_ERR_SECURITY_DISABLED:  // a guess: a dying broker looks alike
    case RD_KAFKA_RESP_ERR__RESOLVE:           // a name may come a moment later
      return 4;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
      return 3;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      return 1;
    default:
      return 2;
  }
}

void keep_worst(ClientTroubles::State& state, int code, std::string_view said) {
  if (code == RD_KAFKA_RESP_ERR_SECURITY_DISABLED && state.protocol_fits) {
    code = RD_KAFKA_RESP_ERR__TRANSPORT;
    said = "a broker hung up: it is going away, or coming back";  // not librdkafka's guess
  }
  if (code == 0 || weight_of(code) < state.weight) return;
  state.weight = weight_of(code);
  state.code = code;
  state.said = std::string(said.substr(0, kMaxLineBytes));
}

void keep_line(ClientTroubles::State& state, std::string_view line) {
  if (state.lines.size() == kMaxLines) state.lines.pop_front();
  state.lines.emplace_back(line.substr(0, kMaxLineBytes));
}

void on_log(const rd_kafka_t* client, int, const char*, const char* text) {
  const Shared side = sides().find(client);
  if (!side || !side->troubles) return;
  const auto& state = side->troubles;
  const std::scoped_lock lock(state->mutex);
  keep_line(*state, text);
  keep_worst(*state, code_of_line(text), text);
}

void on_error(rd_kafka_t* client, int code, const char* reason, void*) {
  const Shared side = sides().find(client);
  if (!side || !side->troubles) return;
  const auto& state = side->troubles;
  const std::scoped_lock lock(state->mutex);
  keep_worst(*state, code, reason);
}

rd_kafka_resp_err_t on_destroy(rd_kafka_t* client, void*) {
  sides().remove(client);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t on_new(rd_kafka_t* client, const rd_kafka_conf_t*, void* shared, char*,
                           size_t) {
  sides().add(client, *static_cast<Shared*>(shared));
  return rd_kafka_interceptor_add_on_destroy(client, "troubles", &on_destroy, nullptr);
}

rd_kafka_resp_err_t on_conf_destroy(void* shared) {
  delete static_cast<Shared*>(shared);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

// librdkafka asks when it has no token, or one whose life is four fifths over.
void on_token(rd_kafka_t* client, const char*, void*) {
  const Shared side = sides().find(client);
  if (!side || !side->token) return;
  std::array<char, 512> said{};
  const Result<Token> token = side->token();
  if (!token) {
    rd_kafka_oauthbearer_set_token_failure(client, token.error().message.c_str());
  } else if (rd_kafka_oauthbearer_set_token(client, token->value.c_str(), token->expires_millis,
                                            token->principal.c_str(), nullptr, 0, said.data(),
                                            said.size()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_oauthbearer_set_token_failure(client, said.data());
  }
}

}  // namespace

int code_of_line(std::string_view line) {
  struct Sign {
    std::string_view text;
    int code;
  };
  // In this order: a line may carry several.
  static constexpr std::array kSigns = {
      Sign{"might require SASL authentication", RD_KAFKA_RESP_ERR_SECURITY_DISABLED},
      Sign{"connecting to a SSL listener?", RD_KAFKA_RESP_ERR_SECURITY_DISABLED},
      Sign{"connecting to a PLAINTEXT broker listener", RD_KAFKA_RESP_ERR_SECURITY_DISABLED},
      Sign{"SSL alert number", RD_KAFKA_RESP_ERR__SSL},
      Sign{"SSL handshake failed", RD_KAFKA_RESP_ERR__SSL},
      Sign{"Failed to verify broker certificate", RD_KAFKA_RESP_ERR__SSL},
      Sign{"SASL authentication error", RD_KAFKA_RESP_ERR__AUTHENTICATION},
      Sign{"SASL authentication failed", RD_KAFKA_RESP_ERR__AUTHENTICATION},
      Sign{"mechanism handshake failed", RD_KAFKA_RESP_ERR__AUTHENTICATION},
      Sign{"Failed to acquire SASL OAUTHBEARER token", RD_KAFKA_RESP_ERR__AUTHENTICATION},
      Sign{"Failed to resolve", RD_KAFKA_RESP_ERR__RESOLVE},
      Sign{"Connect to", RD_KAFKA_RESP_ERR__TRANSPORT},
      Sign{"Connection setup timed out", RD_KAFKA_RESP_ERR__TRANSPORT},
      Sign{"Disconnected", RD_KAFKA_RESP_ERR__TRANSPORT},
  };
  // A TLS listener hangs up on the first plain request. So may a broker that is going away.
  if (line.find("Disconnected") != std::string_view::npos &&
      line.find("in state APIVERSION_QUERY") != std::string_view::npos) {
    return RD_KAFKA_RESP_ERR_SECURITY_DISABLED;
  }
  const auto* const found = std::ranges::find_if(
      kSigns, [&](const Sign& sign) { return line.find(sign.text) != std::string_view::npos; });
  return found == kSigns.end() ? 0 : found->code;
}

void report_to(rd_kafka_conf_s* conf, ClientSide side) {
  rd_kafka_conf_set_log_cb(conf, &on_log);
  rd_kafka_conf_set_error_cb(conf, &on_error);
  if (side.token) rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, &on_token);
  if (!side.token && !side.troubles) return;
  auto* shared = new Shared(std::make_shared<ClientSide>(std::move(side)));
  rd_kafka_conf_interceptor_add_on_conf_destroy(conf, "troubles", &on_conf_destroy, shared);
  rd_kafka_conf_interceptor_add_on_new(conf, "troubles", &on_new, shared);
}

ClientTroubles::ClientTroubles() : state_(std::make_shared<State>()) {}

Error ClientTroubles::explain(std::string_view what) const {
  const std::scoped_lock lock(state_->mutex);
  const int code = state_->code == 0 ? RD_KAFKA_RESP_ERR__TIMED_OUT : state_->code;
  return kafka_error(code, what, state_->said);
}

bool ClientTroubles::refused() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->weight >= kRefusedWeight;
}

bool ClientTroubles::any() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->code != 0;
}

void ClientTroubles::know_protocol(bool fits) {
  const std::scoped_lock lock(state_->mutex);
  state_->protocol_fits = fits;
}

void ClientTroubles::clear() {
  const std::scoped_lock lock(state_->mutex);
  state_->code = 0;
  state_->weight = 0;
  state_->said.clear();
}

void ClientTroubles::note(int code, std::string_view said) {
  const std::scoped_lock lock(state_->mutex);
  keep_worst(*state_, code, said);
}

std::vector<std::string> ClientTroubles::lines() const {
  const std::scoped_lock lock(state_->mutex);
  return {state_->lines.begin(), state_->lines.end()};
}

}  // namespace penstock::log::kafka
