variables {
  bundle = "../../bundles/article.json"
}

run "the_article" {
  assert {
    condition     = toset(keys(output.roles)) == toset(["apply", "preprocessing", "processing", "produce", "scaler", "writer-items", "writer-messages"])
    error_message = "There is a role for each stage, and for apply, the producers and the scaler."
  }
  assert {
    condition     = output.roles["writer-items"].service_account == "article-writer-items" && output.roles["writer-items"].id == "writer.items"
    error_message = "A role is its service account's."
  }
  assert {
    condition     = length(output.roles["writer-items"].ids) == 0 && output.roles["writer-items"].stage == "writer" && length(output.roles.processing.ids) == 1
    error_message = "A store's stage has no transactions in Kafka."
  }
  assert {
    condition     = !contains(output.roles.processing.write, "article.schemas") && contains(output.roles.apply.write, "article.schemas")
    error_message = "Schemas are written by apply alone."
  }
  assert {
    condition     = output.roles.processing.groups == ["article.processing"] && length(output.roles.processing.stores) == 0 && output.roles["writer-messages"].stores == ["messages"]
    error_message = "A stage has its own group and its own store."
  }
}

run "no_file" {
  command = plan
  variables {
    bundle = "../../bundles/nowhere.json"
  }
  expect_failures = [var.bundle]
}

run "a_pipeline_file" {
  command = plan
  variables {
    bundle = "../../bundles/pipeline.json"
  }
  expect_failures = [var.bundle]
}

run "yaml" {
  command = plan
  variables {
    bundle = "../../bundles/yaml.json"
  }
  expect_failures = [var.bundle]
}

run "another_version" {
  command = plan
  variables {
    bundle = "../../bundles/version.json"
  }
  expect_failures = [var.bundle]
}

run "changed_afterwards" {
  command = plan
  variables {
    bundle = "../../bundles/changed.json"
  }
  expect_failures = [var.bundle]
}

run "two_stages_of_one_name" {
  command = plan
  variables {
    bundle = "../../bundles/collision.json"
  }
  expect_failures = [output.roles]
}

run "a_stage_named_apply" {
  command = plan
  variables {
    bundle = "../../bundles/reserved.json"
  }
  expect_failures = [output.roles]
}

run "a_group_that_is_a_pattern" {
  command = plan
  variables {
    bundle = "../../bundles/pattern.json"
  }
  expect_failures = [output.roles]
}

run "an_embedded_log" {
  command = plan
  variables {
    bundle = "../../bundles/embedded.json"
  }
  expect_failures = [output.content]
}
