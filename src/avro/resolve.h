// resolve.h — datums written under one schema, rewritten under another, by the specification's
// schema resolution.
//
// Records match by their unqualified name or one of the reader's aliases, fields by name or alias;
// missing ones take their defaults. A writer's union is resolved by the branch that a datum uses. A
// reader's union takes the branch of the very type first, then one by another name, then one by
// promotion; the first among equals. Decimals must agree in precision and scale; other logical
// types count as what they are made of.
//
// Thread      immutable after compile(); share freely.
// Lifetime    the nodes are needed during compile() only.
// Limits      bounds.h. `out` never grows by more than kMaxResolvedBytes and one record's defaults.
// Errors      A020 where no datum could ever resolve.
//
//     PENSTOCK_TRY(resolver, avro::Resolver::compile(writer->root(), reader->root()));
//     std::string out, why;
//     if (!resolver.run(datum, out, &why)) …
#pragma once

#include "avro/program.h"
#include "avro/schema.h"
#include "base/error.h"

#include <string>
#include <utility>

namespace penstock::avro {

class Resolver {
 public:
  static Result<Resolver> compile(const Node& writer, const Node& reader);

  // Appends the datum's form under the reader's schema to `out`; false, with `out` as before and
  // `why` (may be nullptr) set, when the datum is damaged or has no place there.
  bool run(ByteView datum, std::string& out, std::string* why) const;

  // True when every valid datum of the writer is, byte for byte, one of the reader: nothing needs
  // to be rewritten.
  bool keeps_bytes() const { return keeps_bytes_; }
  const Program& program() const { return program_; }
  Program take_program() && { return std::move(program_); }

 private:
  Resolver(Program program, bool keeps_bytes)
      : program_(std::move(program)), keeps_bytes_(keeps_bytes) {}
  Program program_;
  bool keeps_bytes_;
};

// Validates a datum against one schema, whole. `why` may be nullptr.
bool validate(const Node& type, ByteView datum, std::string* why);

}  // namespace penstock::avro
