output "name" {
  description = "The base of all names."
  value       = local.name
}

output "roles" {
  description = "Role => its name, its service account, what it may do, who may take it."
  value = { for role, policy in module.policies.policies : role => {
    name      = local.role_names[role]
    policy    = policy
    trust     = try(module.policies.trust[role], "")
    namespace = role == "keda" ? "keda" : role == "cluster-autoscaler" ? "kube-system" : role == "redshift-copy" ? "" : var.namespace
    account   = role == "keda" ? "keda-operator" : role == "cluster-autoscaler" ? "cluster-autoscaler" : try(module.bundle.roles[role].service_account, "")
  } }
}

output "tables" {
  description = "DynamoDB: table => key (partition key first) and whether items expire; without those that Penstock makes itself (create: true)."
  value       = local.tables
}

output "copy_role" {
  description = "The name of the role that Redshift takes for COPY."
  value       = local.role_names["redshift-copy"]

  precondition {
    condition     = length(local.copy_roles) <= 1
    error_message = "The stores in Redshift name different roles for COPY, and a cluster has one here: ${join(", ", local.copy_roles)}. Name one."
  }
}

output "buckets" {
  description = "S3: where epochs for Redshift are staged."
  value       = local.buckets
}

output "broker_settings" {
  description = "server.properties of the MSK cluster: what exactly once stands on."
  value = { for name, value in {
    "auto.create.topics.enable"                = false
    "default.replication.factor"               = min(3, var.brokers)
    "min.insync.replicas"                      = min(2, var.brokers)
    "unclean.leader.election.enable"           = false
    "transaction.state.log.replication.factor" = min(3, var.brokers)
    "transaction.state.log.min.isr"            = min(2, var.brokers)
    "offsets.topic.replication.factor"         = min(3, var.brokers)
    "offsets.retention.minutes"                = 20160
  } : name => tostring(value) }

  precondition {
    condition     = local.deploy.log.kind != "msk" || local.replicas <= var.brokers
    error_message = "Topics have ${local.replicas} replicas, and there would be ${var.brokers} brokers, one in each subnet. Give more subnets, or write targets.${local.content.target}.topics: {replicas: ${var.brokers}} in the pipeline file."
  }
}

locals {
  replicas = max([for topic in local.deploy.topics : topic.replicas if !topic.internal]...)
}

output "values" {
  description = "Values of Penstock's chart, as YAML."
  value       = yamlencode(local.values)

  precondition {
    condition     = length(local.unanswered) == 0
    error_message = "The pipeline file asks for ${join(", ", [for name in local.unanswered : "$${env:${name}}"])}, and nothing here answers. Give environment = { ${join(", ", [for name in local.unanswered : "${name} = \"…\""])} }"
  }
}

output "keda_values" {
  description = "Values of KEDA's chart, as YAML."
  value       = yamlencode(local.keda)
}

output "autoscaler_values" {
  description = "Values of the cluster autoscaler's chart, as YAML."
  value       = yamlencode(local.autoscaler)
}
