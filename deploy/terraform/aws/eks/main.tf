# The cluster: private API unless addresses are named, logs, secrets encrypted by our key, OpenID Connect for the roles of service accounts.

resource "aws_cloudwatch_log_group" "api" {
  # EKS writes into this name and no other.
  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}

resource "aws_eks_cluster" "this" {
  # checkov:skip=CKV_AWS_38: the addresses are the user's own; variables.tf refuses 0.0.0.0/0
  # checkov:skip=CKV_AWS_39: the public way is there only when addresses are named
  name                      = var.name
  version                   = var.kubernetes_version
  role_arn                  = aws_iam_role.cluster.arn
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  access_config {
    authentication_mode = "API"
  }

  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.api_access_cidrs) > 0
    public_access_cidrs     = length(var.api_access_cidrs) > 0 ? var.api_access_cidrs : null
  }

  encryption_config {
    resources = ["secrets"]
    provider {
      key_arn = var.key_arn
    }
  }

  depends_on = [aws_cloudwatch_log_group.api, aws_iam_role_policy_attachment.cluster]
}

# What a service account's token is checked against.
resource "aws_iam_openid_connect_provider" "this" {
  url            = aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  # On Fargate no node runs what others bring to each node: the network, the proxy and Pod Identity's agent are Fargate's or are not there.
  addons = merge(
    { coredns = local.managed ? null : jsonencode({ computeType = "Fargate" }) },
    # The chart's NetworkPolicies are kept by the network's own add-on.
    local.managed ? { kube-proxy = null, vpc-cni = jsonencode({ enableNetworkPolicy = "true" }) } : {},
    var.identity == "pod_identity" ? { eks-pod-identity-agent = null } : {},
  )
}

resource "aws_eks_addon" "this" {
  for_each                    = local.addons
  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  configuration_values        = each.value
  resolve_conflicts_on_create = "OVERWRITE" # the cluster was born with some of them
  resolve_conflicts_on_update = "OVERWRITE"
  depends_on                  = [aws_eks_node_group.this, aws_eks_fargate_profile.this]
}

variable "name" { type = string }
variable "account" { type = string }
variable "region" { type = string }
variable "partition" { type = string }
variable "kubernetes_version" { type = string }
variable "subnet_ids" { type = list(string) }
variable "api_access_cidrs" { type = list(string) }
variable "nodes" { type = string }
variable "identity" { type = string }
variable "node_types" { type = list(string) }
variable "node_count" { type = object({ min = number, max = number }) }
variable "namespaces" { type = list(string) }
variable "key_arn" { type = string }
variable "log_days" { type = number }

output "name" { value = aws_eks_cluster.this.name }
output "issuer" { value = aws_eks_cluster.this.identity[0].oidc[0].issuer }
output "security_group" { value = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id }
