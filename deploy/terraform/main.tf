# A pipeline's bundle, and what AWS has to hold for it. What follows from the bundle is thought out in modules/, which need no provider
# and are tested; aws/ only writes it down as resources.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}

locals {
  account    = data.aws_caller_identity.here.account_id
  partition  = data.aws_partition.here.partition
  has_msk    = module.bundle.content.deploy.log.kind == "msk"
  kinds      = values(module.bundle.stores)[*].kind
  warehouses = [for store in values(module.bundle.stores) : store if store.kind == "redshift"]
}

# Beside the design, which waits for what is made here: what is to be made at all.
module "bundle" {
  source      = "./modules/bundle"
  bundle      = var.bundle
  environment = var.environment
}

module "design" {
  source      = "./modules/design"
  bundle      = var.bundle
  brokers     = length(var.subnet_ids)
  msk_arn     = local.has_msk ? module.msk[0].arn : ""
  bootstrap   = local.has_msk ? module.msk[0].bootstrap : ""
  account_id  = local.account
  region      = var.region
  partition   = local.partition
  namespace   = var.namespace
  identity    = var.identity
  nodes       = var.nodes
  oidc_issuer = module.eks.issuer
  eks_cluster = var.cluster
  redshift    = length(local.warehouses) == 0 ? null : { arn = module.redshift[0].arn, host = module.redshift[0].host, serverless = var.redshift == "serverless" }
  cloudwatch  = var.cloudwatch
  image       = module.ecr.repository
  environment = var.environment
}

module "key" {
  source    = "./aws/key"
  name      = var.cluster
  account   = local.account
  region    = var.region
  partition = local.partition
}

module "eks" {
  source             = "./aws/eks"
  name               = var.cluster
  account            = local.account
  region             = var.region
  partition          = local.partition
  kubernetes_version = var.kubernetes_version
  subnet_ids         = var.subnet_ids
  api_access_cidrs   = var.api_access_cidrs
  nodes              = var.nodes
  identity           = var.identity
  node_types         = var.node_types
  node_count         = var.node_count
  namespaces         = [var.namespace, "keda", "kube-system"]
  key_arn            = module.key.arn
  log_days           = var.log_days
}

module "msk" {
  count         = local.has_msk ? 1 : 0
  source        = "./aws/msk"
  name          = var.cluster
  vpc_id        = var.vpc_id
  subnet_ids    = var.subnet_ids
  clients       = module.eks.security_group
  kafka_version = var.kafka_version
  instance_type = var.broker_type
  storage_gib   = var.broker_storage_gib
  settings      = module.design.broker_settings
  key_arn       = module.key.arn
  log_days      = var.log_days
}

module "ecr" {
  source  = "./aws/ecr"
  name    = "${var.cluster}/penstock"
  key_arn = module.key.arn
}

module "dynamodb" {
  count  = contains(local.kinds, "dynamodb") ? 1 : 0
  source = "./aws/dynamodb"
  tables = module.design.tables
}

module "s3" {
  for_each = toset(module.design.buckets)
  source   = "./aws/s3"
  name     = each.key
}

module "redshift" {
  count      = length(local.warehouses) == 0 ? 0 : 1
  source     = "./aws/redshift"
  name       = var.cluster
  region     = var.region
  database   = local.warehouses[0].database
  serverless = var.redshift == "serverless"
  vpc_id     = var.vpc_id
  subnet_ids = var.subnet_ids
  clients    = module.eks.security_group
  copy_role  = "arn:${local.partition}:iam::${local.account}:role/${module.design.copy_role}"
  key_arn    = module.key.arn
}

module "roles" {
  source   = "./aws/roles"
  roles    = module.design.roles
  identity = var.identity
  cluster  = module.eks.name
}
