// rows.h — the rows of a file, whatever its format, each as the Avro datum of a topic's record.
//
// Thread      one owner.
// Lifetime    the file's bytes outlive the reader.
// Errors      F001 no format that is known; F002, F003, F006 as row_text.h has them; A008, A009 of
//             container files; A020 a container's schema that does not resolve to the topic's.
//
//     PENSTOCK_TRY(rows, open_rows(bytes, "a.avro", schema));
//     PENSTOCK_TRY(more, rows->next());
//     if (more) fits = rows->encode(out);
#pragma once

#include "avro/schema.h"
#include "base/error.h"

#include <memory>
#include <string>
#include <string_view>

namespace penstock::file {

class Rows {
 public:
  virtual ~Rows() = default;
  // Finds the next row; false at the end, an error when the file is malformed.
  virtual Result<bool> next() = 0;
  // Appends the row's datum to `out`; on F002 `out` is as before, and next() goes on.
  virtual Result<void> encode(std::string& out) = 0;
  virtual Place row_place() const = 0;
};

// By the bytes' beginning (an Avro container file), else by the name's ending (.csv, .jsonl).
Result<std::unique_ptr<Rows>> open_rows(std::string_view bytes, const std::string& path,
                                        const avro::SchemaPtr& schema);

}  // namespace penstock::file
