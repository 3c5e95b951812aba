variables {
  bundle      = "../../bundles/article.json"
  msk_arn     = "arn:aws:kafka:eu-north-1:111122223333:cluster/clients/0f2c8a55-1"
  account_id  = "111122223333"
  region      = "eu-north-1"
  namespace   = "pipelines"
  oidc_issuer = "https://oidc.eks.eu-north-1.amazonaws.com/id/ABC"
  eks_cluster = "home"
  redshift    = { arn = "arn:aws:redshift:eu-north-1:111122223333:cluster:warehouse", serverless = false, host = "warehouse.example" }
}

run "the_article" {
  assert {
    condition     = output.tables.items.key == [{ field = "id", type = "N" }] && output.tables.penstock_positions.key[0].field == "id" && output.tables.items.expires == false
    error_message = "Tables have the key of the pipeline file, positions their own."
  }
  assert {
    condition     = join(",", output.buckets) == "clients-staging"
    error_message = "The bucket is that of staging:."
  }
  assert {
    condition     = yamldecode(output.values).environment == { MSK_ARN = "arn:aws:kafka:eu-north-1:111122223333:cluster/clients/0f2c8a55-1", REDSHIFT_HOST = "warehouse.example" }
    error_message = "What the pipeline file asks of the environment is answered by what is made here."
  }
  assert {
    condition     = yamldecode(output.values).serviceAccounts["writer-items"].roleArn == "arn:aws:iam::111122223333:role/home-article-writer-items"
    error_message = "The chart is told each service account's role."
  }
  assert {
    condition     = output.roles["writer-items"].account == "article-writer-items" && output.roles.keda.namespace == "keda"
    error_message = "Each role knows whose it is."
  }
  assert {
    condition     = alltrue([for role in values(output.roles) : length(role.name) <= 64]) && length(distinct(values(output.roles)[*].name)) == length(output.roles)
    error_message = "IAM takes names of 64 characters, each once."
  }
}

run "long_names" {
  variables {
    eks_cluster = "a-cluster-with-a-name-that-says-everything-about-itself"
  }
  assert {
    condition     = alltrue([for role in values(output.roles) : length(role.name) <= 64]) && length(distinct(values(output.roles)[*].name)) == length(output.roles)
    error_message = "Names that are too long are cut, and stay apart."
  }
}

run "pod_identity" {
  variables {
    identity = "pod_identity"
  }
  assert {
    condition     = length(yamldecode(output.values).serviceAccounts["writer-items"]) == 0
    error_message = "With Pod Identity the association says it, and no annotation."
  }
}

run "pod_identity_on_fargate" {
  command = plan
  variables {
    identity = "pod_identity"
    nodes    = "fargate"
  }
  expect_failures = [var.nodes]
}

run "fewer_brokers_than_replicas" {
  command = plan
  variables {
    brokers = 2
  }
  expect_failures = [output.broker_settings]
}

run "what_nobody_answers" {
  command = plan
  variables {
    bundle = "../../bundles/lone.json"
  }
  expect_failures = [output.values]
}

run "answered" {
  variables {
    bundle      = "../../bundles/lone.json"
    environment = { LONE = "here" }
  }
  assert {
    condition     = yamldecode(output.values).environment.LONE == "here"
    error_message = "Everything else is given by hand."
  }
}

run "meters" {
  variables {
    bundle = "../../bundles/meters.json"
  }
  assert {
    condition     = output.tables["meter_latest"].key == [{ field = "meter_id", type = "S" }]
    error_message = "The meters' table has the meter as key."
  }
}
