variable "content" {
  description = "The bundle (modules/bundle)."
  type        = any
}

variable "roles" {
  description = "What each role touches (modules/bundle)."
  type        = any
}

variable "stores" {
  description = "Stores, with settings as texts (modules/bundle)."
  type        = any
}

variable "msk_arn" {
  description = "The MSK cluster's ARN; \"\" where the log is no MSK."
  type        = string
  default     = ""

  validation {
    condition     = var.msk_arn == "" || can(regex("^arn:aws[a-z-]*:kafka:[a-z0-9-]+:[0-9]{12}:cluster/[^/*?$]+/[^/*?$]+$", var.msk_arn))
    error_message = "\"${var.msk_arn}\" is not the ARN of an MSK cluster, arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID."
  }
  validation {
    condition     = (var.msk_arn != "") == (var.content.deploy.log.kind == "msk")
    error_message = var.msk_arn == "" ? "The bundle's log is MSK, and no ARN of a cluster is given. Give msk_arn." : "The bundle's log is ${var.content.deploy.log.kind} and not MSK. Leave msk_arn out, or bundle a target with log: {msk: …}."
  }
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "\"${var.account_id}\" is no AWS account: 12 digits."
  }
}

variable "region" {
  description = "Where the tables are whose store names no region, and the EKS cluster."
  type        = string
}

variable "partition" {
  description = "aws, aws-cn, aws-us-gov."
  type        = string
  default     = "aws"
}

variable "namespace" {
  description = "The namespace of the chart's release."
  type        = string
}

variable "identity" {
  description = "How a pod gets its role: irsa (the cluster's OpenID Connect) or pod_identity (EKS's agent on the node; not on Fargate)."
  type        = string
  default     = "irsa"

  validation {
    condition     = contains(["irsa", "pod_identity"], var.identity)
    error_message = "identity is irsa or pod_identity, not \"${var.identity}\"."
  }
}

variable "oidc_issuer" {
  description = "The EKS cluster's issuer, with or without https://; for irsa."
  type        = string
  default     = ""

  validation {
    condition     = var.identity != "irsa" || can(regex("^(https://)?[^*?$ ]+\\.[^*?$ ]+/id/[^*?$ ]+$", var.oidc_issuer))
    error_message = "identity = \"irsa\" needs oidc_issuer, the issuer of the cluster's tokens: aws eks describe-cluster --query cluster.identity.oidc.issuer"
  }
}

variable "eks_cluster" {
  description = "The EKS cluster's name; \"\" for no cluster autoscaler."
  type        = string
  default     = ""
}

variable "redshift" {
  description = "Where redshift stores are: the ARN of the cluster (…:cluster:NAME) or of the serverless workgroup."
  type        = object({ arn = string, serverless = bool })
  default     = null
}

variable "cloudwatch" {
  description = "KEDA reads MSK's lag from CloudWatch (the chart's scaling: cloudwatch)."
  type        = bool
  default     = false
}

variable "keda" {
  description = "Whose role KEDA's is."
  type        = object({ namespace = string, service_account = string })
  default     = { namespace = "keda", service_account = "keda-operator" }
}

variable "autoscaler" {
  description = "Whose role the cluster autoscaler's is."
  type        = object({ namespace = string, service_account = string })
  default     = { namespace = "kube-system", service_account = "cluster-autoscaler" }
}
