// endpoints.h — what Kubernetes and Prometheus ask a running process: /livez, /readyz, /metrics.
//
// Thread      the server's own; what is asked are snapshots.
// Lifetime    the host outlives the server.
// Errors      U009.
#pragma once

#include "app/host.h"
#include "ops/http_server.h"
#include "ops/output.h"

#include <memory>
#include <string>

namespace penstock::app {

// Null when `address` is empty.
Result<std::unique_ptr<ops::HttpServer>> open_endpoints(const std::string& address, Host& host,
                                                        ops::Output& output);

}  // namespace penstock::app
