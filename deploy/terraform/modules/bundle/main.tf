# A bundle (`penstock bundle FILE -t TARGET`), read and checked: who there is, and what each of them may touch.
# Needs no provider.

terraform {
  required_version = ">= 1.9"
}

variable "bundle" {
  description = "Path of the bundle, as `penstock bundle FILE -t TARGET` printed it."
  type        = string

  validation {
    condition     = can(file(var.bundle))
    error_message = "There is no file ${var.bundle}. Make it: penstock bundle pipeline.yaml -t TARGET > bundle.json"
  }
  validation {
    condition     = !can(file(var.bundle)) || can(jsondecode(file(var.bundle)).penstock_bundle)
    error_message = "${var.bundle} is no bundle of Penstock's. It takes what `penstock bundle` printed, not the pipeline file itself."
  }
  validation {
    condition     = try(jsondecode(file(var.bundle)).penstock_bundle, 1) == 1
    error_message = "${var.bundle} is a bundle of another version than 1, the one that this module reads. Use the module that came with that Penstock."
  }
  validation {
    # The digest is of the text without the digest. What is no bundle was said above.
    condition = !can(jsondecode(file(var.bundle)).deploy) || try(
      sha256(replace(trimspace(file(var.bundle)), "\"sha256\":\"${jsondecode(file(var.bundle)).sha256}\",", "")) == jsondecode(file(var.bundle)).sha256,
      false
    )
    error_message = "${var.bundle} was changed, or cut, after Penstock had made it. Make it anew."
  }
}

variable "environment" {
  description = "What $${env:NAME} in the pipeline file stands for."
  type        = map(string)
  default     = {}
}

locals {
  content = jsondecode(file(var.bundle))
  deploy  = local.content.deploy
  name    = local.deploy.name

  topics   = [for topic in local.deploy.topics : topic.name]
  schemas  = "${local.content.pipeline}.schemas"
  copy     = "${local.content.pipeline}.positions" # the log's own copy of positions
  internal = [local.schemas, local.copy]
  # What the pipeline file names.
  told = [for topic in local.topics : topic if !contains(concat(local.internal, compact(local.deploy.stages[*].state)), topic)]

  # ---- stores, with settings as texts

  answers  = merge({ for one in local.content.environment : one.name => one.fallback if one.fallback != null }, var.environment)
  settings = ["region", "endpoint", "create", "expire_after", "host", "database", "staging", "role", "driver", "user", "secret"]
  stores = { for store in local.deploy.stores : store.name => merge(
    { kind = store.kind, tables = store.tables },
    { key = try(store.key, []), immutable = try(store.immutable, false), positions_table = try(store.positions_table, "") },
    { for setting in local.settings : setting => try(coalesce(try(local.answers[store[setting].env], store[setting].value)), "") },
  ) }
  # Without these a policy or a resource would say something else than the pipeline.
  needed = { dynamodb = ["region"], redshift = ["database", "staging"] }
  unsaid = flatten([for store in local.deploy.stores : [
    for setting in lookup(local.needed, store.kind, []) : store[setting].env
    if try(store[setting].env, null) != null && local.stores[store.name][setting] == ""
  ]])

  # ---- roles

  at_least_once = local.deploy.log.delivery == "at_least_once"

  # Of what a role has nothing, where nothing else is said.
  nothing = {
    create = [], read = [], write = [], state = [], groups = [], watched = [], ids = [], stores = [], idempotent = false
  }
  # A stage into topics commits positions with them; one into a store leaves that to the store, and appends its dead letters outside of a
  # transaction. Schemas are written by apply.
  stages = { for stage in local.deploy.stages : stage.name => merge(local.nothing, {
    id         = stage.id
    stage      = lookup(local.stage_names, stage.id, stage.id)
    read       = [for topic in stage.access.read : topic if !contains(compact([stage.state, local.kept[stage.id]]), topic)]
    write      = [for topic in stage.access.write : topic if !contains(compact([stage.state, local.kept[stage.id], local.schemas]), topic)]
    state      = stage.state == null ? [] : [stage.state]
    groups     = stage.access.groups
    ids        = compact([stage.access.transactional_id_prefix])
    stores     = stage.access.stores
    idempotent = local.at_least_once || stage.store != null
  })... }
  # A stage with several stores is several groups, and one name.
  stage_names = { for stage in local.content.plan.stages : stage.id => stage.name }
  kept        = { for stage in local.deploy.stages : stage.id => stage.store == null ? "" : local.copy }
  # One Deployment, so one role, for all producers.
  produce = length(local.deploy.producers) == 0 ? {} : { produce = merge(local.nothing, {
    id         = "produce"
    read       = distinct(flatten(local.deploy.producers[*].access.read))
    write      = distinct([for topic in flatten(local.deploy.producers[*].access.write) : topic if topic != local.schemas])
    ids        = compact(local.deploy.producers[*].access.transactional_id_prefix)
    idempotent = local.at_least_once
  }) }
  apply = { apply = merge(local.nothing, {
    id         = "apply"
    create     = local.deploy.apply.access.create
    read       = local.deploy.apply.access.read
    write      = local.deploy.apply.access.write
    stores     = local.deploy.apply.access.stores
    idempotent = true
  }) }
  scaler = { scaler = merge(local.nothing, {
    id      = "scaler"
    read    = local.internal
    watched = local.deploy.stages[*].group
  }) }

  named = merge({ for name, stages in local.stages : name => stages[0] }, local.produce, local.apply, local.scaler)
  roles = { for role, access in local.named : role => merge(access, {
    service_account = "${local.name}-${role}"
    look            = distinct(concat(access.create, access.read, access.write, access.state, local.internal, role == "scaler" ? local.told : []))
    # Settings: how large a record the topics take. Of those that are written; before dead letters' topics are made, of what they are
    # letters of; the scaler asks for all of every topic that the pipeline file names.
    sizes = (role == "scaler" ? local.told
      : role == "apply" ? distinct(flatten(local.deploy.stages[*].topics[*].name))
    : [for topic in concat(access.read, access.write) : topic if !contains(local.internal, topic)])
  }) }

  reserved  = ["apply", "produce", "scaler", "keda", "cluster-autoscaler", "redshift-copy"]
  collided  = [for name, stages in local.stages : join(" and ", stages[*].id) if length(stages) > 1]
  misplaced = [for stage in local.deploy.stages : stage.id if contains(local.reserved, stage.name)]
  wild      = [for word in concat(local.topics, local.deploy.stages[*].group, flatten([for role in local.roles : role.ids])) : word if can(regex("[*?$]", word))]
}

output "content" {
  description = "The bundle without its files and its plan."
  value       = { for key in ["pipeline", "target", "environment", "deploy"] : key => local.content[key] }

  precondition {
    condition     = contains(["msk", "kafka"], local.deploy.log.kind)
    error_message = "The bundle's target ${local.content.target} keeps its log in a folder of one machine; nothing of it belongs into a cluster. Choose a target with a log on Kafka or MSK: penstock bundle FILE -t TARGET"
  }
}

output "stores" {
  description = "Store => its kind, tables, key, and settings as texts."
  value       = local.stores

  precondition {
    condition     = length(local.unsaid) == 0
    error_message = "Stores are described by ${join(", ", [for name in local.unsaid : "$${env:${name}}"])}, and nothing here answers. Give environment = { ${join(", ", [for name in local.unsaid : "${name} = \"…\""])} }"
  }
}

output "name" {
  description = "The base of all names."
  value       = local.name

  precondition {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$", local.name))
    error_message = "The bundle's name \"${local.name}\" is no DNS label of at most 40 characters. Make the bundle anew."
  }
}

output "roles" {
  description = "Who runs: a stage's name, apply, produce, scaler => its service account and what it touches in Kafka and in the stores."
  value       = local.roles

  precondition {
    condition     = length(local.collided) == 0
    error_message = "Stages that would have one name in the cluster, and so one role: ${join("; ", local.collided)}. Rename one of them in the pipeline file."
  }
  precondition {
    condition     = length(local.misplaced) == 0
    error_message = "Stages with a name that something else has (${join(", ", local.reserved)}): ${join(", ", local.misplaced)}. Rename them in the pipeline file."
  }
  precondition {
    condition     = length(local.wild) == 0
    error_message = "Names that would be patterns in a policy, and allow more than themselves: ${join(", ", local.wild)}. Take *, ? and $ out of them."
  }
}
