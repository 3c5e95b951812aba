# Roles that no program of Penstock's has: KEDA's, the cluster autoscaler's, and the one that Redshift takes to read what was staged.

locals {
  keda = !local.iam && !var.cloudwatch ? {} : { keda = concat(
    !local.iam ? [] : [
      { sid = "Connect", actions = ["kafka-cluster:Connect"], resources = [var.msk_arn] },
      { sid = "Ends", actions = ["kafka-cluster:DescribeTopic"], resources = formatlist(local.topic, distinct(flatten(local.deploy.stages[*].topics[*].name))) },
      { sid = "Offsets", actions = ["kafka-cluster:DescribeGroup"], resources = formatlist(local.group, local.deploy.stages[*].group) },
    ],
    # Metrics have no ARN; the namespace is no condition of this action.
    !var.cloudwatch ? [] : [{ sid = "Metrics", actions = ["cloudwatch:GetMetricData"], resources = ["*"] }],
  ) }

  here = "${var.region}:${var.account_id}"
  autoscaler = var.eks_cluster == "" ? {} : { cluster-autoscaler = [
    # None of these can be bound to a resource.
    { sid = "Look", resources = ["*"], actions = [
      "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeLaunchConfigurations",
      "autoscaling:DescribeScalingActivities", "autoscaling:DescribeTags", "ec2:DescribeImages", "ec2:DescribeInstanceTypes",
      "ec2:DescribeLaunchTemplateVersions", "ec2:GetInstanceTypesFromInstanceRequirements",
    ] },
    { sid = "Groups", actions = ["eks:DescribeNodegroup"], resources = ["arn:${var.partition}:eks:${local.here}:nodegroup/${var.eks_cluster}/*/*"] },
    { sid       = "Scale", actions = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
      resources = ["arn:${var.partition}:autoscaling:${local.here}:autoScalingGroup:*:autoScalingGroupName/*"]
      condition = { StringEquals = {
        "aws:ResourceTag/k8s.io/cluster-autoscaler/enabled"            = "true"
        "aws:ResourceTag/k8s.io/cluster-autoscaler/${var.eks_cluster}" = "owned"
    } } },
  ] }

  copy_role = length(local.staging) == 0 ? {} : { redshift-copy = [
    { sid = "Staged", actions = ["s3:GetObject"], resources = [for prefix in values(local.staging) : "${prefix}*"] },
    { sid       = "List", actions = ["s3:ListBucket"], resources = [for prefix in values(local.staging) : split("/", prefix)[0]]
      condition = { StringLike = { "s3:prefix" = [for prefix in values(local.staging) : "${trimprefix(prefix, "${split("/", prefix)[0]}/")}*"] } }
    },
  ] }

  others = merge(local.keda, local.autoscaler, local.copy_role)
}
