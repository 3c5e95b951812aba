# What each role may do, and who may take it: policy documents as JSON. Needs no provider.
#
# A role gets what the binary calls for it and nothing else; tests/terraform records those calls and compares.

terraform {
  required_version = ">= 1.9"
}

locals {
  deploy = var.content.deploy
  msk    = local.deploy.log.kind == "msk"
  iam    = local.msk && local.deploy.log.auth == "msk-iam"

  # arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID
  arn     = split(":", local.msk ? var.msk_arn : ":::::/-/-")
  cluster = split("/", local.arn[5])
  kafka   = { for kind in ["topic", "group", "transactional-id"] : kind => "${join(":", slice(local.arn, 0, 5))}:${kind}/${local.cluster[1]}/${local.cluster[2]}/" }

  dynamodb = { for name, store in var.stores : name => store if store.kind == "dynamodb" }
  redshift = { for name, store in var.stores : name => store if store.kind == "redshift" }
  table = { for name, store in local.dynamodb : name =>
    "arn:${var.partition}:dynamodb:${store.region == "" ? var.region : store.region}:${var.account_id}:table/"
  }
  # ---- the log

  log_statements = { for role, access in var.roles : role => !local.msk ? [] : concat(
    [{ sid = "Brokers", actions = ["kafka:GetBootstrapBrokers"], resources = [var.msk_arn], condition = {} }],
    !local.iam ? [] : [
      { sid = "Connect", actions = concat(["kafka-cluster:Connect"], access.idempotent ? ["kafka-cluster:WriteDataIdempotently"] : []), resources = [var.msk_arn], condition = {} },
      { sid = "Look", actions = ["kafka-cluster:DescribeTopic"], resources = [for topic in access.look : "${local.kafka.topic}${topic}"], condition = {} },
      { sid = "Settings", actions = ["kafka-cluster:DescribeTopicDynamicConfiguration"], resources = [for topic in access.sizes : "${local.kafka.topic}${topic}"], condition = {} },
      { sid = "Read", actions = ["kafka-cluster:ReadData"], resources = [for topic in concat(access.read, access.state) : "${local.kafka.topic}${topic}"], condition = {} },
      { sid = "Write", actions = ["kafka-cluster:WriteData"], resources = [for topic in concat(access.write, access.state) : "${local.kafka.topic}${topic}"], condition = {} },
      { sid = "Create", actions = ["kafka-cluster:CreateTopic"], resources = [for topic in concat(access.create, access.state) : "${local.kafka.topic}${topic}"], condition = {} },
      { sid = "Grow", actions = ["kafka-cluster:AlterTopic"], resources = [for topic in access.state : "${local.kafka.topic}${topic}"], condition = {} },
      { sid = "Group", actions = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], resources = [for group in access.groups : "${local.kafka.group}${group}"], condition = {} },
      { sid = "Watch", actions = ["kafka-cluster:DescribeGroup"], resources = [for group in access.watched : "${local.kafka.group}${group}"], condition = {} },
      { sid = "Transactions", actions = ["kafka-cluster:AlterTransactionalId", "kafka-cluster:DescribeTransactionalId"], resources = [for id in access.ids : "${local.kafka["transactional-id"]}${id}*"], condition = {} },
    ]
    )
  }

  # ---- the stores

  # Tables that a role's stores have: those of the rows, and the store's positions.
  own_tables = { for role, access in var.roles : role => { for name, store in local.dynamodb : name => {
    all     = [for table in concat(store.tables, [store.positions_table]) : "${local.table[name]}${table}"]
    expires = store.expire_after != "" ? [for table in store.tables : "${local.table[name]}${table}"] : []
  } if contains(access.stores, name) } }
  table_statements = { for role, access in var.roles : role => [
    { sid = "Tables", actions = ["dynamodb:DescribeTable"], resources = flatten(values(local.own_tables[role])[*].all), condition = {} },
    { sid = "Expiry", actions = ["dynamodb:DescribeTimeToLive"], resources = flatten(values(local.own_tables[role])[*].expires), condition = {} },
    { sid = "NewTables", actions = ["dynamodb:CreateTable"], condition = {},
    resources = role == "apply" ? flatten([for name, tables in local.own_tables[role] : tables.all if local.dynamodb[name].create == "true"]) : [] },
    { sid = "NewExpiry", actions = ["dynamodb:UpdateTimeToLive"], condition = {},
    resources = role == "apply" ? flatten([for name, tables in local.own_tables[role] : tables.expires if local.dynamodb[name].create == "true"]) : [] },
  ] }
  item_statements = { for role, access in var.roles : role => flatten([for name, store in local.dynamodb : [
    { sid = "Items${local.word[name]}", actions = [store.immutable ? "dynamodb:BatchWriteItem" : "dynamodb:PutItem"],
    resources = [for table in store.tables : "${local.table[name]}${table}"], condition = {} },
    # A position's key begins with pipeline/stage/store.
    { sid       = "Positions${local.word[name]}", actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"],
      resources = ["${local.table[name]}${store.positions_table}"],
    condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["${urlencode(var.content.pipeline)}/${urlencode(access.stage)}/${urlencode(name)}/*"] } } },
  ] if contains(access.stores, name) && role != "apply"]) }
  # Sids are letters and digits.
  word = { for name, store in var.stores : name => replace(title(replace(name, "/[^A-Za-z0-9]/", " ")), " ", "") }

  warehouse_statements = { for role, access in var.roles : role => flatten([for name, store in local.redshift : !contains(access.stores, name) ? [] : concat(
    var.redshift == null ? [] : [
      var.redshift.serverless
      ? { sid = "Login", actions = ["redshift-serverless:GetCredentials"], resources = [var.redshift.arn], condition = {} }
      : { sid = "Login", actions = ["redshift:GetClusterCredentialsWithIAM"], resources = ["${replace(var.redshift.arn, ":cluster:", ":dbname:")}/${store.database}"], condition = {} }
    ],
    role == "apply" ? [] : [{ sid = "Stage", actions = ["s3:PutObject"], resources = ["${local.staging[name]}*"], condition = {} }],
  )]) }
  # s3://bucket/prefix/
  staging = { for name, store in local.redshift : name => "arn:${var.partition}:s3:::${trimprefix(store.staging, "s3://")}" }

  statements = { for role, access in var.roles : role => [for one in concat(local.log_statements[role], local.table_statements[role], local.item_statements[role], local.warehouse_statements[role]) : one if length(one.resources) > 0] }
  documents = { for role, statements in merge(local.statements, local.others) : role => jsonencode({
    Version = "2012-10-17"
    Statement = [for one in statements : merge({
      Sid = one.sid, Effect = "Allow", Action = sort(distinct(one.actions)), Resource = sort(distinct(one.resources))
    }, length(one.condition) == 0 ? {} : { Condition = one.condition })]
  }) }
}
