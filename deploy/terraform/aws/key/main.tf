# One key for what lies on disks: brokers, Kubernetes' secrets, images, logs, the warehouse.

resource "aws_kms_key" "this" {
  description             = "${var.name}: data at rest"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # The account decides by IAM; without this nobody could ever change the key again.
      { Sid = "Account", Effect = "Allow", Principal = { AWS = "arn:${var.partition}:iam::${var.account}:root" }, Action = "kms:*", Resource = "*" },
      { Sid    = "Logs", Effect = "Allow", Principal = { Service = "logs.${var.region}.amazonaws.com" }, Resource = "*",
        Action = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
      Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = ["arn:${var.partition}:logs:${var.region}:${var.account}:log-group:/penstock/${var.name}/*", "arn:${var.partition}:logs:${var.region}:${var.account}:log-group:/aws/eks/${var.name}/*"] } } },
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
