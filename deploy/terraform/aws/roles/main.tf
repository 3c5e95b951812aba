# A role for each service account: what it may do and who may take it was thought out in modules/policies.

resource "aws_iam_role" "this" {
  for_each             = var.roles
  name                 = each.value.name
  description          = each.value.account == "" ? "Taken by Redshift for COPY" : "Of the service account ${each.value.account} in ${each.value.namespace}"
  assume_role_policy   = each.value.trust
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "this" {
  for_each = var.roles
  name     = "what-it-calls"
  role     = aws_iam_role.this[each.key].id
  policy   = each.value.policy
}

resource "aws_eks_pod_identity_association" "this" {
  for_each        = { for role, one in var.roles : role => one if var.identity == "pod_identity" && one.account != "" }
  cluster_name    = var.cluster
  namespace       = each.value.namespace
  service_account = each.value.account
  role_arn        = aws_iam_role.this[each.key].arn
}

variable "roles" {
  type = map(object({ name = string, policy = string, trust = string, namespace = string, account = string }))
}
variable "identity" { type = string }
variable "cluster" { type = string }
