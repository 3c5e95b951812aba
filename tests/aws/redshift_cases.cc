// Our clients of Redshift's logins and of its Data API. Run by redshift.py, which checks what came.
//
//     redshift_cases login ENDPOINT cluster|workgroup NAME DATABASE USER
//     redshift_cases data  ENDPOINT cluster|workgroup NAME DATABASE USER TOKEN SQL…
#include "aws/redshift_data.h"
#include "base/check.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

using namespace penstock;       // NOLINT: a program of two pages
using namespace penstock::aws;  // NOLINT: the same

namespace {

int refused(const Error& error) {
  fmt::print("{}\n", one_line(error));
  return 1;
}

int login(Identity& identity, const RedshiftAccess& access) {
  RedshiftLogins logins(identity, access);
  const auto first = logins.obtain();
  if (!first) return refused(first.error());
  fmt::print("{}\n{}\n{}\n", first->user, first->password.reveal(), first->expires.value);
  return 0;
}

int data(Identity& identity, const RedshiftAccess& access, const std::string& token,
         std::span<const std::string> sqls) {
  auto client = RedshiftData::open(identity, access, {1, 2, 16, 6, 3});
  if (!client) return refused(client.error());
  const auto run = (*client)->run(sqls, token, 10'000);
  if (!run) return refused(run.error());
  fmt::print("{} {}\n", static_cast<int>(run->end), run->error);
  for (const DataStatement& each : run->statements) {
    fmt::print("{} {}\n", each.rows, each.has_rows);
    if (!each.has_rows) continue;
    const auto rows = (*client)->rows(each);
    if (!rows) return refused(rows.error());
    for (const DataRow& row : *rows) {
      for (const auto& cell : row) fmt::print("{}|", cell ? penstock::quoted(*cell) : "null");
      fmt::print("\n");
    }
  }
  return 0;
}

}  // namespace

int main(int count, char** texts) {
  const std::vector<std::string> args(texts + 1, texts + count);
  if (args.size() < 6) return 64;
  const Surroundings here = {[&](const std::string& name) -> std::optional<std::string> {
                               if (name == "AWS_ACCESS_KEY_ID") return "AKIDEXAMPLE0";
                               if (name == "AWS_SECRET_ACCESS_KEY") return "xxxxxxxxxxxxxxxx";
                               if (name == "AWS_REGION") return "eu-north-1";
                               if (name == "AWS_ENDPOINT_URL") return args[1];
                               return std::nullopt;
                             },
                             [](const std::string& path) -> Result<std::string> {
                               return fail("W002"_code, path + " cannot be read");
                             },
                             ""};
  const SystemClock clock;
  const auto client = http::Client::make({});
  PENSTOCK_CHECK(client.has_value());
  const auto session = Session::make(here, **client, clock);
  PENSTOCK_CHECK(session.has_value());
  const auto identity = Identity::make(*session);
  PENSTOCK_CHECK(identity.has_value());
  const RedshiftAccess access{{args[2] == "workgroup", args[3], ""}, args[4], args[5]};
  if (args[0] == "login") return login(**identity, access);
  if (args[0] != "data" || args.size() < 8) return 64;
  return data(**identity, access, args[6], std::span(args).subspan(7));
}
