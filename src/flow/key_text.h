// key_text.h — the normal form of keys: what tables are looked up by and what records are
// partitioned by.
//
// One field: a string's UTF-8, a number's decimal text, bytes as they are. Several fields: each
// field's text preceded by its length as an Avro long (zigzag varint), which is the Avro encoding
// of that many strings.
//
// Thread      free functions.
#pragma once

#include "row/batch.h"

#include <cstdint>
#include <span>
#include <string>

namespace penstock::flow {

// True for the types that can be (part of) a key: string, enum, bytes, fixed, int, long, boolean;
// nullable ones too.
bool can_be_key(row::Kind kind);

// Appends the key of `row`, taken from these columns, to `out`. False when a field is null; `out`
// is as before then.
bool append_key(const row::Batch& batch, std::span<const uint32_t> slots, uint32_t row,
                std::string& out);

// The same from texts: how a table indexes its rows.
void append_key(std::span<const std::string_view> texts, std::string& out);

}  // namespace penstock::flow
