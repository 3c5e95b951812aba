# The warehouse, provisioned or serverless: private, encrypted, TLS only, with the one role that COPY takes.

resource "aws_security_group" "this" {
  name        = "${var.name}-warehouse"
  description = "Redshift"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "sql" {
  security_group_id            = aws_security_group.this.id
  description                  = "From the cluster's nodes and pods"
  referenced_security_group_id = var.clients
  ip_protocol                  = "tcp"
  from_port                    = 5439
  to_port                      = 5439
}

# COPY goes through the VPC, too.
data "aws_ec2_managed_prefix_list" "s3" {
  name = "com.amazonaws.${var.region}.s3"
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  security_group_id = aws_security_group.this.id
  description       = "What was staged"
  prefix_list_id    = data.aws_ec2_managed_prefix_list.s3.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# ---- provisioned

resource "aws_redshift_subnet_group" "this" {
  count      = var.serverless ? 0 : 1
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_redshift_parameter_group" "this" {
  count  = var.serverless ? 0 : 1
  name   = var.name
  family = "redshift-2.0"
  parameter {
    name  = "require_ssl"
    value = "true"
  }
  parameter {
    name  = "enable_user_activity_logging"
    value = "true"
  }
}

resource "aws_redshift_cluster" "this" {
  # checkov:skip=CKV_AWS_71: logging is aws_redshift_logging below; the cluster's own block is gone from the provider
  count                               = var.serverless ? 0 : 1
  cluster_identifier                  = var.name
  node_type                           = "ra3.large"
  number_of_nodes                     = 2
  database_name                       = var.database
  master_username                     = "owner"
  manage_master_password              = true
  master_password_secret_kms_key_id   = var.key_arn
  cluster_subnet_group_name           = aws_redshift_subnet_group.this[0].name
  cluster_parameter_group_name        = aws_redshift_parameter_group.this[0].name
  vpc_security_group_ids              = [aws_security_group.this.id]
  iam_roles                           = [var.copy_role]
  default_iam_role_arn                = var.copy_role
  encrypted                           = true
  kms_key_id                          = var.key_arn
  publicly_accessible                 = false
  enhanced_vpc_routing                = true
  allow_version_upgrade               = true
  automated_snapshot_retention_period = 7
  skip_final_snapshot                 = false
  final_snapshot_identifier           = "${var.name}-last"
}

resource "aws_redshift_logging" "this" {
  count                = var.serverless ? 0 : 1
  cluster_identifier   = aws_redshift_cluster.this[0].id
  log_destination_type = "cloudwatch"
  log_exports          = ["connectionlog", "useractivitylog", "userlog"]
}

# ---- serverless

resource "aws_redshiftserverless_namespace" "this" {
  count                            = var.serverless ? 1 : 0
  namespace_name                   = var.name
  db_name                          = var.database
  manage_admin_password            = true
  admin_password_secret_kms_key_id = var.key_arn
  iam_roles                        = [var.copy_role]
  default_iam_role_arn             = var.copy_role
  kms_key_id                       = var.key_arn
  log_exports                      = ["connectionlog", "useractivitylog", "userlog"]
}

resource "aws_redshiftserverless_workgroup" "this" {
  count                = var.serverless ? 1 : 0
  namespace_name       = aws_redshiftserverless_namespace.this[0].namespace_name
  workgroup_name       = var.name
  base_capacity        = 8
  subnet_ids           = var.subnet_ids
  security_group_ids   = [aws_security_group.this.id]
  publicly_accessible  = false
  enhanced_vpc_routing = true
  config_parameter {
    parameter_key   = "require_ssl"
    parameter_value = "true"
  }
}

variable "name" { type = string }
variable "region" { type = string }
variable "database" { type = string }
variable "serverless" { type = bool }
variable "vpc_id" { type = string }
variable "subnet_ids" { type = list(string) }
variable "clients" { type = string }
variable "copy_role" { type = string }
variable "key_arn" { type = string }

output "arn" { value = var.serverless ? aws_redshiftserverless_workgroup.this[0].arn : aws_redshift_cluster.this[0].arn }
output "host" {
  value = var.serverless ? aws_redshiftserverless_workgroup.this[0].endpoint[0].address : aws_redshift_cluster.this[0].dns_name
}
