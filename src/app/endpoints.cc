#include "app/endpoints.h"

#include "app/version.h"
#include "ops/exposition.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

namespace penstock::app {
namespace {

ops::HttpAnswer verdict(const ops::Verdict& verdict) {
  return {verdict.holds ? 200U : 503U, "text/plain; charset=utf-8", verdict.text};
}

std::vector<ops::StoreFigures> figures_of(Instance& instance) {
  std::vector<ops::StoreFigures> all;
  const inspect::StoreOf store_of = instance.store_of();
  for (const plan::Store& store : instance.plan()->stores) {
    if (const flow::Store* opened = store_of(store.name)) {
      all.push_back({store.name, opened->figures()});
    }
  }
  return all;
}

ops::HttpAnswer answer(std::string_view path, Host& host, Millis started) {
  const std::vector<ops::WorkerSnapshot> workers = host.workers();
  const Millis now = host.clock().now();
  if (path == "/livez") return verdict(ops::alive(workers, now));
  if (path == "/readyz") return verdict(ops::ready(workers));
  if (path == "/metrics") {
    const plan::Plan& plan = *host.instance().plan();
    return {200, "text/plain; version=0.0.4; charset=utf-8",
            ops::metrics_text(workers, {plan.pipeline, plan.target, kVersion, now, started}) +
                ops::store_metrics_text(figures_of(host.instance()))};
  }
  return {404, "text/plain; charset=utf-8", "/livez, /readyz or /metrics\n"};
}

}  // namespace

Result<std::unique_ptr<ops::HttpServer>> open_endpoints(const std::string& address, Host& host,
                                                        ops::Output& output) {
  if (address.empty()) return std::unique_ptr<ops::HttpServer>();
  const Millis started = host.clock().now();
  PENSTOCK_TRY(server, ops::HttpServer::open(address, [&host, started](std::string_view path) {
                 return answer(path, host, started);
               }));
  output.note(fmt::format("health and metrics on port {}\n", server->port()));
  return std::move(server);
}

}  // namespace penstock::app
