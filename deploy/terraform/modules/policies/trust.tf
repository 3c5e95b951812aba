# Who may take a role: one service account, by the cluster's OpenID Connect (IRSA) or by EKS Pod Identity; or Redshift itself.

locals {
  accounts = merge(
    { for role, access in var.roles : role => { namespace = var.namespace, account = access.service_account } },
    { for role in keys(local.keda) : role => { namespace = var.keda.namespace, account = var.keda.service_account } },
    { for role in keys(local.autoscaler) : role => { namespace = var.autoscaler.namespace, account = var.autoscaler.service_account } },
  )

  irsa = { for role, who in local.accounts : role => {
    Sid       = "ServiceAccount", Effect = "Allow", Action = ["sts:AssumeRoleWithWebIdentity"]
    Principal = { Federated = "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.issuer}" }
    Condition = { StringEquals = {
      "${local.issuer}:aud" = "sts.amazonaws.com"
      "${local.issuer}:sub" = "system:serviceaccount:${who.namespace}:${who.account}"
    } }
  } }
  pods = { for role, who in local.accounts : role => {
    Sid       = "Pods", Effect = "Allow", Action = ["sts:AssumeRole", "sts:TagSession"]
    Principal = { Service = "pods.eks.amazonaws.com" }
    # The agent sends these as tags of the session; so the association alone does not decide.
    Condition = { StringEquals = {
      "aws:SourceAccount"                         = var.account_id
      "aws:RequestTag/kubernetes-namespace"       = who.namespace
      "aws:RequestTag/kubernetes-service-account" = who.account
      "aws:RequestTag/eks-cluster-name"           = var.eks_cluster
    } }
  } }
  redshift_trust = { for role in keys(local.copy_role) : role => {
    Sid       = "Redshift", Effect = "Allow", Action = ["sts:AssumeRole"]
    Principal = { Service = var.redshift != null && try(var.redshift.serverless, false) ? ["redshift-serverless.amazonaws.com", "redshift.amazonaws.com"] : ["redshift.amazonaws.com"] }
    Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
  } }
  issuer = trimprefix(var.oidc_issuer, "https://")

  trust = { for role, statement in merge(var.identity == "irsa" ? local.irsa : {}, var.identity == "pod_identity" ? local.pods : {}, local.redshift_trust) :
    role => jsonencode({ Version = "2012-10-17", Statement = [statement] })
  }
}
