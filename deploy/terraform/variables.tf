variable "bundle" {
  description = "Path of the bundle: penstock bundle pipeline.yaml -t TARGET > bundle.json"
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "vpc_id" {
  description = "The VPC that everything stands in."
  type        = string
}

variable "subnet_ids" {
  description = "Its private subnets, one in each of three availability zones: a broker, nodes and a replica of each topic in each."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2 && length(distinct(var.subnet_ids)) == length(var.subnet_ids)
    error_message = "Give two subnets or, better, three, each in an availability zone of its own: one broker stands in each, and topics have three replicas."
  }
}

variable "cluster" {
  description = "The EKS cluster's name; part of all other names."
  type        = string
}

variable "namespace" {
  description = "The namespace of the chart's release."
  type        = string
  default     = "pipelines"
}

variable "nodes" {
  description = "managed: a group of nodes that the cluster autoscaler scales. fargate: a node for each pod."
  type        = string
  default     = "managed"
}

variable "identity" {
  description = "irsa: pods get their roles by the cluster's OpenID Connect. pod_identity: by EKS's agent (not on Fargate)."
  type        = string
  default     = "irsa"
}

variable "kubernetes_version" {
  description = "EKS's version."
  type        = string
  default     = "1.34"
}

variable "api_access_cidrs" {
  description = "From where the cluster's API may be reached from outside of the VPC; none: not at all."
  type        = list(string)
  default     = []

  validation {
    condition     = !contains(var.api_access_cidrs, "0.0.0.0/0") && !contains(var.api_access_cidrs, "::/0")
    error_message = "api_access_cidrs would open the cluster's API to everybody. Name your own addresses."
  }
}

variable "node_types" {
  description = "Instances of the managed group; of the architecture that the image was made for (m7i: amd64, m7g: arm64)."
  type        = list(string)
  default     = ["m7i.large"]
}

variable "node_count" {
  description = "The managed group's limits. KEDA, the autoscaler and Kubernetes' own pods need one node."
  type        = object({ min = number, max = number })
  default     = { min = 1, max = 10 }

  validation {
    condition     = var.node_count.min >= 1 && var.node_count.max >= var.node_count.min
    error_message = "node_count needs 1 <= min <= max: without a node nobody is there who would scale from zero."
  }
}

variable "kafka_version" {
  description = "MSK's version of Apache Kafka."
  type        = string
  default     = "3.9.x.kraft"
}

variable "broker_type" {
  description = "Instances of the brokers."
  type        = string
  default     = "kafka.m7g.large"
}

variable "broker_storage_gib" {
  description = "Disk of each broker."
  type        = number
  default     = 100
}

variable "redshift" {
  description = "How stores in Redshift are run, where the bundle has such: provisioned or serverless."
  type        = string
  default     = "serverless"

  validation {
    condition     = contains(["provisioned", "serverless"], var.redshift)
    error_message = "redshift is provisioned or serverless, not \"${var.redshift}\"."
  }
}

variable "cloudwatch" {
  description = "KEDA reads MSK's lag from CloudWatch (the chart's scaling: cloudwatch)."
  type        = bool
  default     = false
}

variable "environment" {
  description = "What $${env:NAME} in the pipeline file stands for, beyond what is made here."
  type        = map(string)
  default     = {}
}

variable "log_days" {
  description = "How long logs of brokers and of the cluster's API are kept."
  type        = number
  default     = 400
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
