# Values for the charts: Penstock's own, KEDA's and the cluster autoscaler's.

locals {
  # ${env:…} that Terraform itself answers.
  known = merge(
    local.deploy.log.kind == "msk" && try(local.deploy.log.arn.env, null) != null ? { (local.deploy.log.arn.env) = var.msk_arn } : {},
    { for store in local.deploy.stores : store.host.env => var.redshift.host if store.kind == "redshift" && try(store.host.env, null) != null && var.redshift != null },
    { for store in local.deploy.stores : store.role.env => local.role_arns["redshift-copy"] if store.kind == "redshift" && try(store.role.env, null) != null },
    var.environment,
  )
  unanswered = [for one in local.content.environment : one.name if one.fallback == null && !contains(keys(local.known), one.name)]

  annotated = { for role, access in module.bundle.roles : role => var.identity == "irsa" ? { roleArn = local.role_arns[role] } : {} }

  has_keda = contains(keys(module.policies.policies), "keda")
  # By the annotation KEDA's pods get a token; each pipeline then names the role that its triggers take by it.
  keda_role = var.identity == "irsa" && local.has_keda ? { roleArn = local.role_arns["keda"] } : {}

  values = {
    image           = { repository = var.image }
    environment     = local.known
    kafka           = { bootstrapServers = var.bootstrap }
    scaling         = var.cloudwatch ? "cloudwatch" : "lag"
    keda            = { aws = merge({ identityOwner = "keda" }, local.keda_role) }
    serviceAccounts = local.annotated
  }

  keda = {
    podIdentity    = { aws = { irsa = merge({ enabled = length(local.keda_role) > 0 }, local.keda_role) } }
    serviceAccount = { operator = { create = true, name = "keda-operator" } }
  }

  autoscaler = {
    cloudProvider = "aws"
    awsRegion     = var.region
    autoDiscovery = { clusterName = var.eks_cluster, tags = ["k8s.io/cluster-autoscaler/enabled", "k8s.io/cluster-autoscaler/${var.eks_cluster}"] }
    rbac = { create = true, serviceAccount = {
      create      = true
      name        = "cluster-autoscaler"
      annotations = var.identity == "irsa" ? { "eks.amazonaws.com/role-arn" = try(local.role_arns["cluster-autoscaler"], "") } : {}
    } }
    extraArgs = {
      expander                      = "least-waste"
      balance-similar-node-groups   = true
      skip-nodes-with-local-storage = false
    }
  }
}
