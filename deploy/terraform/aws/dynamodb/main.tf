# Tables on demand, with the keys of the pipeline file, and the table of positions.

resource "aws_dynamodb_table" "this" {
  for_each = var.tables
  # checkov:skip=CKV_AWS_119: encrypted by DynamoDB's own key. With a key of ours each role would need rights on that key beside its table.
  name                        = each.key
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.key[0].field
  range_key                   = try(each.value.key[1].field, null)
  deletion_protection_enabled = true

  dynamic "attribute" {
    for_each = each.value.key
    content {
      name = attribute.value.field
      type = attribute.value.type
    }
  }

  dynamic "ttl" {
    for_each = each.value.expires ? ["penstock_expires"] : []
    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}

variable "tables" {
  type = map(object({ key = list(object({ field = string, type = string })), expires = bool }))
}
