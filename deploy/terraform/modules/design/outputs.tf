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
    "default.replication.factor"               = 3
    "min.insync.replicas"                      = 2
    "unclean.leader.election.enable"           = false
    "transaction.state.log.replication.factor" = 3
    "transaction.state.log.min.isr"            = 2
    "offsets.topic.replication.factor"         = 3
    "offsets.retention.minutes"                = 20160
  } : name => tostring(value) }
}

output "partitions" {
  description = "Partitions of all topics, with their replicas: what the brokers have to hold."
  value       = sum(concat([0], [for topic in local.deploy.topics : topic.internal ? 3 : topic.partitions * topic.replicas]))
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
