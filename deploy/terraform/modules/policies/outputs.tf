output "policies" {
  description = "Role => what it may do, as JSON: a role for each stage, apply, produce, scaler; keda, cluster-autoscaler, redshift-copy where there are such."
  value       = local.documents

  precondition {
    # IAM's limit of all inline policies of a role.
    condition     = length(local.long) == 0
    error_message = "Policies longer than the 10,240 characters that a role takes: ${join(", ", local.long)}. The stage has too many topics for one role; split it, or read the topics of fewer tenants in one stage."
  }
}

output "trust" {
  description = "Role => who may take it, as JSON."
  value       = local.trust
}

locals {
  long = [for role, document in local.documents : "${role} (${length(document)})" if length(document) > 10240]
}
