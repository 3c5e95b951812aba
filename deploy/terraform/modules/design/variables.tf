variable "bundle" {
  description = "Path of the bundle: penstock bundle FILE -t TARGET > bundle.json"
  type        = string
}

variable "msk_arn" {
  description = "The MSK cluster's ARN; \"\" where the log is no MSK."
  type        = string
  default     = ""
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string
}

variable "region" {
  description = "The AWS region."
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
  description = "irsa or pod_identity."
  type        = string
  default     = "irsa"
}

variable "nodes" {
  description = "managed (a group of nodes that the cluster autoscaler scales) or fargate."
  type        = string
  default     = "managed"

  validation {
    condition     = contains(["managed", "fargate"], var.nodes)
    error_message = "nodes is managed or fargate, not \"${var.nodes}\"."
  }
  validation {
    condition     = var.nodes != "fargate" || var.identity == "irsa"
    error_message = "On Fargate no agent runs that EKS Pod Identity needs. Take identity = \"irsa\", or nodes = \"managed\"."
  }
}

variable "oidc_issuer" {
  description = "The EKS cluster's issuer; for irsa."
  type        = string
  default     = ""
}

variable "eks_cluster" {
  description = "The EKS cluster's name."
  type        = string
  default     = ""
}

variable "redshift" {
  description = "Where redshift stores are."
  type        = object({ arn = string, serverless = bool, host = string })
  default     = null
}

variable "cloudwatch" {
  description = "KEDA reads MSK's lag from CloudWatch."
  type        = bool
  default     = false
}

variable "brokers" {
  description = "How many brokers MSK has."
  type        = number
  default     = 3
}

variable "bootstrap" {
  description = "The brokers that KEDA asks: host:port,…"
  type        = string
  default     = ""
}

variable "image" {
  description = "The image, without its digest: ACCOUNT.dkr.ecr.REGION.amazonaws.com/penstock"
  type        = string
  default     = "penstock"
}

variable "environment" {
  description = "What ${"$"}{env:NAME} in the pipeline file stands for, beyond what is known here (the ARN of MSK, the host of Redshift)."
  type        = map(string)
  default     = {}
}
