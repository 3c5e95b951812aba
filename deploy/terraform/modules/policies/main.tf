# What each role may do, and who may take it: policy documents as JSON. Needs no provider.
#
# A role gets what the binary calls for it and nothing else; tests/terraform runs a pipeline with these policies enforced.

terraform {
  required_version = ">= 1.9"
}

locals {
  deploy = var.content.deploy
  msk    = local.deploy.log.kind == "msk"
  iam    = local.msk && local.deploy.log.auth == "msk-iam"

  # arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID, and forms for what is in the cluster.
  arn     = split(":", local.msk ? var.msk_arn : ":::::/-/-")
  cluster = split("/", local.arn[5])
  of_kafka = { for kind in ["topic", "group", "transactional-id"] :
    kind => "${join(":", slice(local.arn, 0, 5))}:${kind}/${local.cluster[1]}/${local.cluster[2]}/%s"
  }
  topic = local.of_kafka["topic"]
  group = local.of_kafka["group"]
  id    = local.of_kafka["transactional-id"]

  # ---- the log

  log_statements = { for role, access in var.roles : role => concat(
    !local.msk ? [] : [{ sid = "Brokers", actions = ["kafka:GetBootstrapBrokers"], resources = [var.msk_arn] }],
    !local.iam ? [] : [
      { sid = "Connect", actions = ["kafka-cluster:Connect"], resources = [var.msk_arn] },
      { sid = "Idempotent", actions = ["kafka-cluster:WriteDataIdempotently"], resources = access.idempotent ? [var.msk_arn] : [] },
      { sid = "Look", actions = ["kafka-cluster:DescribeTopic"], resources = formatlist(local.topic, access.look) },
      { sid = "Settings", actions = ["kafka-cluster:DescribeTopicDynamicConfiguration"], resources = formatlist(local.topic, access.sizes) },
      { sid = "Read", actions = ["kafka-cluster:ReadData"], resources = formatlist(local.topic, concat(access.read, access.state)) },
      { sid = "Write", actions = ["kafka-cluster:WriteData"], resources = formatlist(local.topic, concat(access.write, access.state)) },
      { sid = "Create", actions = ["kafka-cluster:CreateTopic"], resources = formatlist(local.topic, concat(access.create, access.state)) },
      { sid = "Grow", actions = ["kafka-cluster:AlterTopic"], resources = formatlist(local.topic, access.state) },
      { sid = "Group", actions = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], resources = formatlist(local.group, access.groups) },
      { sid = "Watch", actions = ["kafka-cluster:DescribeGroup"], resources = formatlist(local.group, access.watched) },
      {
        sid       = "Transactions"
        actions   = ["kafka-cluster:AlterTransactionalId", "kafka-cluster:DescribeTransactionalId"]
        resources = formatlist("${local.id}*", access.ids)
      },
    ]
  ) }

  # ---- items: a store at another endpoint is not AWS's

  dynamodb = { for name, store in var.stores : name => merge(store, {
    form = "arn:${var.partition}:dynamodb:${store.region == "" ? var.region : store.region}:${var.account_id}:table/%s"
  }) if store.kind == "dynamodb" && store.endpoint == "" }
  own_stores = { for role, access in var.roles : role => { for name, store in local.dynamodb : name => store if contains(access.stores, name) } }

  table_statements = { for role, stores in local.own_stores : role => flatten([for name, store in stores : [
    { sid = "Tables${local.word[name]}", actions = concat(["dynamodb:DescribeTable"], local.makes[role][name] ? ["dynamodb:CreateTable"] : [])
    resources = formatlist(store.form, concat(store.tables, [store.positions_table])) },
    { sid = "Expiry${local.word[name]}", actions = concat(["dynamodb:DescribeTimeToLive"], local.makes[role][name] ? ["dynamodb:UpdateTimeToLive"] : [])
    resources = store.expire_after == "" ? [] : formatlist(store.form, store.tables) },
  ]]) }
  makes = { for role, stores in local.own_stores : role => { for name, store in stores : name => role == "apply" && store.create == "true" } }

  item_statements = { for role, stores in local.own_stores : role => flatten([for name, store in stores : [
    { sid = "Items${local.word[name]}", actions = [store.immutable ? "dynamodb:BatchWriteItem" : "dynamodb:PutItem"]
    resources = formatlist(store.form, store.tables) },
    { sid       = "Positions${local.word[name]}", actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      resources = formatlist(store.form, [store.positions_table])
      # A position's key is pipeline/stage/store/topic/partition.
      condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = [
        "${join("/", [for part in [var.content.pipeline, var.roles[role].stage, name] : urlencode(part)])}/*"
    ] } } },
  ] if role != "apply"]) }
  # Sids are letters and digits.
  word = { for name in keys(var.stores) : name => replace(title(replace(name, "/[^A-Za-z0-9]/", " ")), " ", "") }

  # ---- the warehouse

  redshift = { for name, store in var.stores : name => store if store.kind == "redshift" }
  # s3://bucket/prefix/
  staging = { for name, store in local.redshift : name => "arn:${var.partition}:s3:::${trimprefix(store.staging, "s3://")}" if store.staging != "" }
  # An epoch's file comes and goes; what a killed worker left is looked for, and an upload in parts is looked after.
  stage_actions = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
  serverless    = try(var.redshift.serverless, false)
  # Who logs in: whom a secret has, a named user, or the user that stands for the role.
  login = { for name, store in local.redshift : name =>
    store.secret != "" ? "secretsmanager:GetSecretValue"
    : local.serverless ? "redshift-serverless:GetCredentials"
    : store.user != "" ? "redshift:GetClusterCredentials" : "redshift:GetClusterCredentialsWithIAM"
  }
  in_cluster = { for name, store in local.redshift : name => var.redshift == null ? [] : concat(
    ["${replace(var.redshift.arn, ":cluster:", ":dbname:")}/${store.database}"],
    store.user == "" ? [] : ["${replace(var.redshift.arn, ":cluster:", ":dbuser:")}/${store.user}"],
  ) }
  logged_in = { for name, store in local.redshift : name =>
    var.redshift == null ? [] : store.secret != "" ? [store.secret] : local.serverless ? [var.redshift.arn] : local.in_cluster[name]
  }
  by_data_api = { for name, store in local.redshift : name => store.driver == "data-api" && var.redshift != null }

  warehouse_statements = { for role, access in var.roles : role => flatten([for name, store in local.redshift : [
    { sid = "Login${local.word[name]}", actions = [local.login[name]], resources = local.logged_in[name] },
    { sid = "Run${local.word[name]}", actions = ["redshift-data:BatchExecuteStatement"], resources = local.by_data_api[name] ? [var.redshift.arn] : [] },
    # These know no resource; a statement has an owner.
    { sid       = "Look${local.word[name]}", actions = ["redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"]
      resources = local.by_data_api[name] ? ["*"] : []
      condition = { StringEquals = { "redshift-data:statement-owner-iam-userid" = "$${aws:userid}" } }
    },
    { sid = "Stage${local.word[name]}", actions = local.stage_actions
    resources = role == "apply" || store.staging == "" ? [] : ["${local.staging[name]}*"] },
    { sid       = "Staged${local.word[name]}", actions = ["s3:ListBucket"]
      resources = role == "apply" || store.staging == "" ? [] : [split("/", local.staging[name])[0]]
      condition = { StringLike = { "s3:prefix" = store.staging == "" ? [] : ["${trimprefix(local.staging[name], "${split("/", local.staging[name])[0]}/")}*"] } }
    },
  ] if contains(access.stores, name)]) }

  # ---- all of it

  statements = { for role in keys(var.roles) : role => concat(
    local.log_statements[role], local.table_statements[role], local.item_statements[role], local.warehouse_statements[role]
  ) }
  documents = { for role, statements in merge(local.statements, local.others) : role => jsonencode({
    Version = "2012-10-17"
    Statement = [for one in statements : merge(
      { Sid = one.sid, Effect = "Allow", Action = sort(distinct(one.actions)), Resource = sort(distinct(one.resources)) },
      try({ Condition = one.condition }, {}),
    ) if length(one.resources) > 0]
  }) }
}
