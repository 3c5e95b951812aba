// pq_database.h — the door to Redshift's own port, by libpq.
//
// Thread      one; stop() from any.
// Limits      a query of 1 MB and one statement more.
// Errors      a connection that is lost at COMMIT leaves the transaction unknown, all else undone.
#pragma once

#include "store/redshift/database.h"
#include "store/redshift/logins.h"

#include <memory>
#include <optional>

namespace penstock::store::redshift {

class PqDatabase final : public Database {
 public:
  // Without logins the connection's own parameters have one.
  PqDatabase(ConnectionSettings connection, std::shared_ptr<Logins> logins)
      : connection_(std::move(connection)), logins_(std::move(logins)) {}

  Answer<void> open() override;
  Answer<std::vector<Rows>> ask(const std::vector<std::string>& statements) override;
  Transacted transact(std::span<const Step> steps, Ending ending) override;
  void stop() noexcept override { interrupt_.raise(); }

 private:
  Transacted steps_done(std::span<const Step> steps);
  void undo();

  ConnectionSettings connection_;
  std::shared_ptr<Logins> logins_;
  Interrupt interrupt_;
  std::optional<Connection> db_;
};

}  // namespace penstock::store::redshift
