variables {
  msk_arn     = "arn:aws:kafka:eu-north-1:111122223333:cluster/clients/0f2c8a55-1"
  account_id  = "111122223333"
  region      = "eu-north-1"
  namespace   = "pipelines"
  oidc_issuer = "https://oidc.eks.eu-north-1.amazonaws.com/id/ABC"
  eks_cluster = "home"
  redshift    = { arn = "arn:aws:redshift:eu-north-1:111122223333:cluster:warehouse", serverless = false }
}

run "bundle" {
  module {
    source = "../bundle"
  }
  variables {
    bundle = "../../bundles/article.json"
  }
}

run "a_role_each" {
  variables {
    content = run.bundle.content
    roles   = run.bundle.roles
    stores  = run.bundle.stores
  }
  assert {
    condition = toset(keys(output.policies)) == toset([
      "apply", "cluster-autoscaler", "keda", "preprocessing", "processing", "produce", "redshift-copy", "scaler", "writer-items", "writer-messages"
    ])
    error_message = "There is a role for each stage and for each program beside them."
  }
  assert {
    condition     = toset(keys(output.trust)) == toset(keys(output.policies))
    error_message = "Each role has somebody who may take it."
  }
  assert {
    condition     = !strcontains(output.policies.preprocessing, "dynamodb:") && !strcontains(output.policies["writer-messages"], "dynamodb:") && !strcontains(output.policies["writer-items"], "s3:")
    error_message = "Nobody has a right on a store that is not its own."
  }
  assert {
    condition = toset(flatten([for s in jsondecode(output.policies["writer-items"]).Statement : s.Resource if contains(s.Action, "kafka-cluster:WriteData")])) == toset([
      "arn:aws:kafka:eu-north-1:111122223333:topic/clients/0f2c8a55-1/dead.writer"
    ])
    error_message = "The cluster's name and id stand in a topic's ARN; a store's stage writes its dead letters only."
  }
  assert {
    condition = alltrue([for s in jsondecode(output.policies["writer-items"]).Statement :
    s.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] == ["article/writer/items/*"] if contains(s.Action, "dynamodb:UpdateItem")])
    error_message = "A stage moves its own positions only."
  }
  assert {
    condition = alltrue([for s in jsondecode(output.policies["cluster-autoscaler"]).Statement :
    s.Condition.StringEquals["aws:ResourceTag/k8s.io/cluster-autoscaler/home"] == "owned" if contains(s.Action, "autoscaling:SetDesiredCapacity")])
    error_message = "The autoscaler scales groups of this cluster only."
  }
  assert {
    condition = jsondecode(output.trust.processing).Statement[0].Condition.StringEquals == {
      "oidc.eks.eu-north-1.amazonaws.com/id/ABC:aud" = "sts.amazonaws.com"
      "oidc.eks.eu-north-1.amazonaws.com/id/ABC:sub" = "system:serviceaccount:pipelines:article-processing"
    }
    error_message = "A role is one service account's of one namespace."
  }
}

run "pod_identity" {
  variables {
    content     = run.bundle.content
    roles       = run.bundle.roles
    stores      = run.bundle.stores
    identity    = "pod_identity"
    oidc_issuer = ""
  }
  assert {
    condition     = jsondecode(output.trust.processing).Statement[0].Principal == { Service = "pods.eks.amazonaws.com" } && jsondecode(output.trust.processing).Statement[0].Condition.StringEquals["aws:RequestTag/kubernetes-service-account"] == "article-processing"
    error_message = "The agent's session is bound to the service account, too."
  }
}

run "serverless_and_cloudwatch" {
  variables {
    content    = run.bundle.content
    roles      = run.bundle.roles
    stores     = run.bundle.stores
    redshift   = { arn = "arn:aws:redshift-serverless:eu-north-1:111122223333:workgroup/0f2c", serverless = true }
    cloudwatch = true
  }
  assert {
    condition     = strcontains(output.policies["writer-messages"], "redshift-serverless:GetCredentials") && strcontains(output.policies.keda, "cloudwatch:GetMetricData")
    error_message = "Redshift Serverless has calls of its own; CloudWatch is KEDA's."
  }
}

run "redshift_without_staging_and_by_a_named_user" {
  variables {
    content = run.bundle.content
    roles   = run.bundle.roles
    stores  = merge(run.bundle.stores, { messages = merge(run.bundle.stores.messages, { staging = "", role = "", user = "loader" }) })
  }
  assert {
    condition = (!strcontains(output.policies["writer-messages"], "s3:") && !contains(keys(output.policies), "redshift-copy")
      && [for one in jsondecode(output.policies["writer-messages"]).Statement : one.Resource if contains(flatten([one.Action]), "redshift:GetClusterCredentials")][0]
    == ["arn:aws:redshift:eu-north-1:111122223333:dbname:warehouse/clients", "arn:aws:redshift:eu-north-1:111122223333:dbuser:warehouse/loader"])
    error_message = "Rows that go in by INSERT need no S3; a named user is a right of its own."
  }
}

run "redshift_by_the_data_api" {
  variables {
    content = run.bundle.content
    roles   = run.bundle.roles
    stores  = merge(run.bundle.stores, { messages = merge(run.bundle.stores.messages, { driver = "data-api", secret = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:w" }) })
  }
  assert {
    condition = ({ for one in jsondecode(output.policies["writer-messages"]).Statement : one.Sid => one.Resource if contains(["LoginMessages", "RunMessages", "LookMessages"], one.Sid) }
      == { LoginMessages = ["arn:aws:secretsmanager:eu-north-1:111122223333:secret:w"], RunMessages = ["arn:aws:redshift:eu-north-1:111122223333:cluster:warehouse"], LookMessages = ["*"] }
      && strcontains(output.policies["writer-messages"], "\"redshift-data:statement-owner-iam-userid\":\"$${aws:userid}\"")
    && !strcontains(output.policies["writer-items"], "redshift-data"))
    error_message = "The Data API: statements of this cluster, answers to one's own, the secret."
  }
}

run "no_arn" {
  command = plan
  variables {
    content = run.bundle.content
    roles   = run.bundle.roles
    stores  = run.bundle.stores
    msk_arn = ""
  }
  expect_failures = [var.msk_arn]
}

run "a_topic_for_an_arn" {
  command = plan
  variables {
    content = run.bundle.content
    roles   = run.bundle.roles
    stores  = run.bundle.stores
    msk_arn = "arn:aws:kafka:eu-north-1:111122223333:topic/clients/0f2c8a55-1/ingest"
  }
  expect_failures = [var.msk_arn]
}

run "no_issuer" {
  command = plan
  variables {
    content     = run.bundle.content
    roles       = run.bundle.roles
    stores      = run.bundle.stores
    oidc_issuer = ""
  }
  expect_failures = [var.oidc_issuer]
}

run "an_account_in_words" {
  command = plan
  variables {
    content    = run.bundle.content
    roles      = run.bundle.roles
    stores     = run.bundle.stores
    account_id = "mine"
  }
  expect_failures = [var.account_id]
}

run "wide_bundle" {
  module {
    source = "../bundle"
  }
  variables {
    bundle = "../../bundles/wide.json"
  }
}

run "a_policy_that_iam_would_not_take" {
  command = plan
  variables {
    content = run.wide_bundle.content
    roles   = run.wide_bundle.roles
    stores  = run.wide_bundle.stores
  }
  expect_failures = [output.policies]
}
