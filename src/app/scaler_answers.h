// scaler_answers.h — what `penstock scaler` answers over HTTP.
//
//     /v1/stages/ID   {"stage", "replicas", "rate_per_second", "backlog", "lag",
//                      "speed_per_worker", "workers", "stale", "reason"}: KEDA's metrics-api
//                     trigger takes "replicas"; 503 while nothing is known, 404 for another stage
//     /v1/stages      all of them
//     /livez /readyz  ready: the last look at the log did not fail
//     /metrics        the same figures, for Prometheus
//
// Thread      any.
#pragma once

#include "app/scaling.h"
#include "base/units.h"
#include "ops/http_server.h"

#include <string_view>

namespace penstock::app {

ops::HttpAnswer scaler_answer(const Scaling& scaling, std::string_view path);

}  // namespace penstock::app
