# One key for what lies on disks: brokers, Kubernetes' secrets, images, logs, the warehouse.

locals {
  log_groups = formatlist("arn:${var.partition}:logs:${var.region}:${var.account}:log-group:%s/*", ["/penstock/${var.name}", "/aws/eks/${var.name}"])
}

resource "aws_kms_key" "this" {
  description             = "${var.name}: data at rest"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # The account decides by IAM; without this nobody could ever change the key again.
        Sid       = "Account", Effect = "Allow", Action = "kms:*", Resource = "*"
        Principal = { AWS = "arn:${var.partition}:iam::${var.account}:root" }
      },
      {
        Sid       = "Logs", Effect = "Allow", Resource = "*"
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = local.log_groups } }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

variable "name" { type = string }
variable "account" { type = string }
variable "region" { type = string }
variable "partition" { type = string }

output "arn" { value = aws_kms_key.this.arn }
