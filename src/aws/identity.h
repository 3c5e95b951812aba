// identity.h — the credentials of this process, kept fresh.
//
// A thread of its own asks the source ten to fifteen minutes before they expire, at a moment drawn
// anew each time so that a fleet does not ask at once. When that fails, the old ones go on being
// given (the service decides) and it is tried again, from each second to each minute.
//
// Thread      all from any thread; obtain() waits, the others never do.
// Lifetime    the destructor ends the thread; the session outlives it.
// Errors      those of source.h.
//
//     PENSTOCK_TRY(identity, Identity::make(session));
//     PENSTOCK_TRY(first, identity->obtain());            // at start
//     signer.sign(request, *identity->current(), session->now());
//     if (is_about_credentials(code)) identity->doubt();  // asks anew, soon
#pragma once

#include "aws/credentials.h"
#include "aws/session.h"

#include <memory>
#include <optional>
#include <string>

namespace penstock::aws {

using SharedCredentials = std::shared_ptr<const Credentials>;

class Identity {
 public:
  static Result<std::unique_ptr<Identity>> make(std::shared_ptr<Session> session);
  ~Identity();
  Identity(const Identity&) = delete;

  // The credentials; waits for the first ones, or for the first failure.
  Result<SharedCredentials> obtain();
  // The last ones there were; null before the first.
  SharedCredentials current() const;
  // The service refused the current ones: they are asked for again, every 10 s at most.
  void doubt();
  // Why the last try to get new ones failed; nothing when it did not.
  std::optional<Error> trouble() const;
  // Where they come from, for people.
  std::string source() const;
  Session& session() const { return *session_; }

 private:
  class Keeper;
  Identity(std::shared_ptr<Session> session, std::unique_ptr<Keeper> keeper);
  std::shared_ptr<Session> session_;
  std::unique_ptr<Keeper> keeper_;
};

// When credentials that end at `expires` are to be replaced: 10 to 15 minutes before (`draw` of 0
// to 1 says where between), but not in the first half of what is left.
Millis refresh_time(Millis now, Millis expires, double draw);

}  // namespace penstock::aws
