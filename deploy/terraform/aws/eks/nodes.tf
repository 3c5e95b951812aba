# Where pods run: a managed group of nodes, or Fargate. The nodes' role runs nodes; no pod of a pipeline works with it.

locals {
  managed = var.nodes == "managed"
  attached = { for policy in ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy"] :
    policy => "arn:${var.partition}:iam::aws:policy/${policy}"
  }
}

resource "aws_iam_role" "cluster" {
  name = "${var.name}-eks"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Action = "sts:AssumeRole", Principal = { Service = "eks.amazonaws.com" }
    Condition = { StringEquals = { "aws:SourceAccount" = var.account } }
  }] })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:${var.partition}:iam::aws:policy/AmazonEKSClusterPolicy"
}

# ---- managed

# Only machines need EC2's trust: this is the one role that has it.
resource "aws_iam_role" "nodes" {
  count = local.managed ? 1 : 0
  name  = "${var.name}-nodes"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" }
  }] })
}

resource "aws_iam_role_policy_attachment" "nodes" {
  for_each   = local.managed ? local.attached : {}
  role       = aws_iam_role.nodes[0].name
  policy_arn = each.value
}

resource "aws_launch_template" "nodes" {
  count       = local.managed ? 1 : 0
  name        = "${var.name}-nodes"
  description = "Nodes whose pods can not reach the nodes' own role"

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = 30
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }
}

resource "aws_eks_node_group" "this" {
  count           = local.managed ? 1 : 0
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "${var.name}-nodes"
  node_role_arn   = aws_iam_role.nodes[0].arn
  subnet_ids      = var.subnet_ids
  instance_types  = var.node_types
  ami_type        = length(regexall("^[a-z]+[0-9]+g[a-z]*\\.", var.node_types[0])) > 0 ? "AL2023_ARM_64_STANDARD" : "AL2023_x86_64_STANDARD"

  scaling_config {
    min_size     = var.node_count.min
    max_size     = var.node_count.max
    desired_size = var.node_count.min
  }

  launch_template {
    id      = aws_launch_template.nodes[0].id
    version = aws_launch_template.nodes[0].latest_version
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size] # the cluster autoscaler's
  }

  depends_on = [aws_iam_role_policy_attachment.nodes]
}

# By these tags the autoscaler finds the group, and by these its role may scale it.
resource "aws_autoscaling_group_tag" "autoscaler" {
  for_each               = local.managed ? { "k8s.io/cluster-autoscaler/enabled" = "true", "k8s.io/cluster-autoscaler/${var.name}" = "owned" } : {}
  autoscaling_group_name = aws_eks_node_group.this[0].resources[0].autoscaling_groups[0].name
  tag {
    key                 = each.key
    value               = each.value
    propagate_at_launch = false
  }
}

# ---- Fargate

resource "aws_iam_role" "fargate" {
  count = local.managed ? 0 : 1
  name  = "${var.name}-fargate"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Action = "sts:AssumeRole", Principal = { Service = "eks-fargate-pods.amazonaws.com" }
    Condition = { ArnLike = { "aws:SourceArn" = "arn:${var.partition}:eks:${var.region}:${var.account}:fargateprofile/${var.name}/*" } }
  }] })
}

resource "aws_iam_role_policy_attachment" "fargate" {
  count      = local.managed ? 0 : 1
  role       = aws_iam_role.fargate[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/AmazonEKSFargatePodExecutionRolePolicy"
}

resource "aws_eks_fargate_profile" "this" {
  for_each               = local.managed ? toset([]) : toset(var.namespaces)
  cluster_name           = aws_eks_cluster.this.name
  fargate_profile_name   = each.key
  pod_execution_role_arn = aws_iam_role.fargate[0].arn
  subnet_ids             = var.subnet_ids
  selector {
    namespace = each.key
  }
  depends_on = [aws_iam_role_policy_attachment.fargate]
}
