// source.h — the places where credentials come from, in the order of AWS's own chain.
//
// The first place that is *configured* is taken, also when it then fails: falling through to
// another identity would hide the mistake. The order (docs/decisions/0031): variables, a role of
// the profile, a web identity, the profile's keys, the container's agent, the machine's role.
//
// Thread      load() waits: not on a worker's thread.
// Lifetime    the session outlives its sources.
// Errors      W001 … W006, H….
//
//     PENSTOCK_TRY(source, choose_source(*session));
//     PENSTOCK_TRY(credentials, source->load());
#pragma once

#include "aws/credentials.h"
#include "aws/session.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::aws {

class Source {
 public:
  virtual ~Source() = default;
  // Asks anew, and reads files anew, each time.
  virtual Result<Credentials> load() = 0;
  // For people: "the profile \"energy\"".
  virtual std::string name() const = 0;
};

Result<std::unique_ptr<Source>> choose_source(Session& session);

// The pieces of the chain; nothing where a place is not configured.
using MaybeSource = Result<std::unique_ptr<Source>>;
MaybeSource variables_source(Session& session);
// The profile `name` with what it leads to; `seen`: the profiles on the way here.
MaybeSource profile_role_source(Session& session, const std::string& name,
                                std::vector<std::string> seen);
MaybeSource profile_keys_source(Session& session, const std::string& name);
MaybeSource web_identity_source(Session& session, const std::string& profile);
MaybeSource container_source(Session& session);
std::unique_ptr<Source> machine_source(Session& session);

// Where a container's agent may be asked over http: loopback and the fixed addresses of ECS and
// EKS. Anything else would hand its answer, and our token, to whoever listens.
bool is_container_host(std::string_view host);

}  // namespace penstock::aws
