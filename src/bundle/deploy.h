// deploy.h — what a cluster has to know of a plan: names that Kubernetes takes, what each stage
// reads, writes and asks for, ceilings, and where log and stores are.
//
// The chart makes Deployments and ScaledObjects of it, Terraform makes roles: neither reads the
// pipeline file. Names of objects are labels of RFC 1123; two stages never share one.
//
// Thread      free functions.
// Limits      kNameBytes, kStageNameBytes: together with a dash they fit into every name that
//             Kubernetes and KEDA derive (63 bytes, "keda-hpa-" before it).
//
//     const std::string json = bundle::deploy_json(plan);
#pragma once

#include "plan/plan.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::bundle {

inline constexpr size_t kNameBytes = 24;
inline constexpr size_t kStageNameBytes = 28;

// Of the plan's parts, one JSON object. Units stand in the names of its members. `pipeline_file` is
// the pipeline file's path in the bundle.
std::string deploy_json(const plan::Plan& plan, std::string_view pipeline_file);

// `text` in small letters, digits and dashes, at most `limit_bytes` long: a longer one, or one that
// lost characters to another of `taken`, ends in a number made of the whole text.
std::string label(std::string_view text, size_t limit_bytes, const std::vector<std::string>& taken);

}  // namespace penstock::bundle
