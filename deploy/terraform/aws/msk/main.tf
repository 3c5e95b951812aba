# Brokers that speak TLS with IAM and nothing else (port 9098), in private subnets, for the cluster's nodes only.

resource "aws_security_group" "brokers" {
  name        = "${var.name}-brokers"
  description = "Kafka by IAM over TLS"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "kafka" {
  security_group_id            = aws_security_group.brokers.id
  description                  = "From the cluster's nodes and pods"
  referenced_security_group_id = var.clients
  ip_protocol                  = "tcp"
  from_port                    = 9098
  to_port                      = 9098
}

resource "aws_msk_configuration" "this" {
  name              = var.name
  description       = "What exactly once stands on"
  server_properties = join("\n", [for name, value in var.settings : "${name}=${value}"])
}

resource "aws_cloudwatch_log_group" "brokers" {
  name              = "/penstock/${var.name}/brokers"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}

resource "aws_msk_cluster" "this" {
  cluster_name           = var.name
  kafka_version          = var.kafka_version
  number_of_broker_nodes = length(var.subnet_ids)
  enhanced_monitoring    = "PER_TOPIC_PER_PARTITION" # lag metrics of groups

  broker_node_group_info {
    instance_type   = var.instance_type
    client_subnets  = var.subnet_ids
    security_groups = [aws_security_group.brokers.id]
    storage_info {
      ebs_storage_info {
        volume_size = var.storage_gib
      }
    }
  }

  client_authentication {
    unauthenticated = false
    sasl {
      iam   = true
      scram = false
    }
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = var.key_arn
    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this.arn
    revision = aws_msk_configuration.this.latest_revision
  }

  open_monitoring {
    prometheus {
      jmx_exporter {
        enabled_in_broker = true
      }
      node_exporter {
        enabled_in_broker = true
      }
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.brokers.name
      }
    }
  }

  lifecycle {
    # The disks grow by themselves.
    ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size]
  }
}

variable "name" { type = string }
variable "vpc_id" { type = string }
variable "subnet_ids" { type = list(string) }
variable "clients" { type = string }
variable "kafka_version" { type = string }
variable "instance_type" { type = string }
variable "storage_gib" { type = number }
variable "settings" { type = map(string) }
variable "key_arn" { type = string }
variable "log_days" { type = number }

output "arn" { value = aws_msk_cluster.this.arn }
output "bootstrap" { value = aws_msk_cluster.this.bootstrap_brokers_sasl_iam }
