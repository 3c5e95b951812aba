# Everything that follows from the bundle and needs no provider: roles with their policies, tables, settings of the cluster of brokers,
# values for the charts. The root module makes of it what AWS has to hold.

terraform {
  required_version = ">= 1.9"
}

module "bundle" {
  source      = "../bundle"
  bundle      = var.bundle
  environment = var.environment
}

module "policies" {
  source      = "../policies"
  content     = module.bundle.content
  roles       = module.bundle.roles
  stores      = module.bundle.stores
  msk_arn     = var.msk_arn
  account_id  = var.account_id
  region      = var.region
  partition   = var.partition
  namespace   = var.namespace
  identity    = var.identity
  oidc_issuer = var.oidc_issuer
  eks_cluster = var.eks_cluster
  redshift    = var.redshift
  cloudwatch  = var.cloudwatch
}

locals {
  content = module.bundle.content
  deploy  = local.content.deploy
  name    = module.bundle.name
  prefix  = var.eks_cluster == "" ? local.name : "${var.eks_cluster}-${local.name}"

  # Names of roles: at most 64 characters, cut with a digest where they would be longer.
  wished = merge(
    { for role in concat(keys(module.bundle.roles), ["keda", "cluster-autoscaler", "redshift-copy"]) : role => "${local.prefix}-${role}" },
    length(local.copy_roles) == 0 ? {} : { redshift-copy = local.copy_roles[0] },
  )
  role_names = { for role, name in local.wished : role => length(name) <= 64 ? name : "${substr(name, 0, 55)}-${substr(sha256(name), 0, 8)}" }
  role_arns  = { for role, name in local.role_names : role => "arn:${var.partition}:iam::${var.account_id}:role/${name}" }

  # ---- DynamoDB

  dynamodb = { for name, store in module.bundle.stores : name => store if store.kind == "dynamodb" && store.endpoint == "" }
  tables = merge(
    { for table in distinct(values(local.dynamodb)[*].positions_table) : table => { key = [{ field = "id", type = "S" }], expires = false } },
    merge([for store in values(local.dynamodb) : { for table in store.tables : table => { key = store.key, expires = store.expire_after != "" } } if store.create != "true"]...),
  )

  # ---- Redshift, S3

  redshift   = { for name, store in module.bundle.stores : name => store if store.kind == "redshift" }
  copy_roles = distinct([for store in values(local.redshift) : regex(":role/(?:.*/)?([^/]+)$", store.role)[0] if can(regex(":role/", store.role))])
  buckets    = distinct([for store in values(local.redshift) : split("/", trimprefix(store.staging, "s3://"))[0] if store.staging != ""])
}
