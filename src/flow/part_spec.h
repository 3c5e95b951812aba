// part_spec.h — a part declared once: what the reader of the file, the linter, --help, the JSON
// Schema and the reference pages know of it comes from here.
//
// A PartSpec names a part's fields; plan/ checks a file's mapping against it (unknown and missing
// fields, types, did-you-mean) and hands the result over as a Config. For steps, make() does the
// rest: it checks rules against the Shape, changes the Shape, and returns the running Step. `check`
// throws the Step away, `run` keeps it.
//
// Thread      specs are static data; Config is a value that points into the yaml::Document.
#pragma once

#include "avro/schema.h"
#include "base/error.h"
#include "flow/shape.h"
#include "flow/step.h"
#include "yaml/node.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::flow {

enum class FieldType : uint8_t {
  text,       // any scalar
  rule,       // a CEL expression of any type
  condition,  // a CEL expression that is bool
  rules,      // mapping: field name -> rule
  field,      // the name of a field of the record
  fields,     // one field name or a list of them
  names,      // one name or a list of them
  number,
  count,
  boolean,
  duration,  // 10s 5m 24h 7d, in milliseconds
  size,      // 64KiB 1MiB, in bytes
  share,     // "20% over 1m"
  file,      // a path, relative to the pipeline file
  topic,
  store,
  table,    // the name of a declared one
  choice,   // one of FieldSpec::choices
  mapping,  // free form; the part reads it itself
};

struct FieldSpec {
  std::string_view name;
  FieldType type;
  bool required = false;
  std::string_view fallback = {};  // the default, as it would be written; "" = none
  std::string_view unit = {};      // "ms", "bytes", "rows", … or ""
  std::string_view doc = {};       // one sentence
  std::string_view example = {};
  std::vector<std::string_view> choices = {};
};

// A part's settings in one place of the file, checked against its FieldSpecs. Values are read by
// name.
class Config {
 public:
  Config(const yaml::Document* document, const yaml::Node* node)
      : document_(document), node_(node) {}
  // The value's node, or nullptr when the field is absent (then the FieldSpec's fallback holds; the
  // part applies it).
  const yaml::Node* find(std::string_view field) const;
  // The whole mapping (or scalar, for parts written as one).
  const yaml::Node& node() const { return *node_; }
  std::string text(std::string_view field, std::string_view fallback = {}) const;
  // A list or a single scalar, as a list of nodes.
  std::vector<const yaml::Node*> list(std::string_view field) const;
  Place place(const yaml::Node& node) const { return document_->place(node); }
  Place place(
      std::string_view field) const;  // of the field's value, or of the whole when it is absent
  const yaml::Document& document() const { return *document_; }

 private:
  const yaml::Document* document_;
  const yaml::Node* node_;
};

// What a step may ask for while it is made.
class MakeContext {
 public:
  virtual ~MakeContext() = default;
  // The schema of a declared table and its key fields, or nullptr.
  struct TableShape {
    avro::SchemaPtr schema;
    std::vector<std::string> key;
    bool refreshes = false;
  };
  virtual const TableShape* table(std::string_view name) const = 0;
  virtual std::vector<std::string_view> table_names() const = 0;
  // Index into StepContext::tables for that table.
  virtual uint32_t use_table(std::string_view name) = 0;
  // Index into StepContext::sides: a copy of the record, as the shape is now, goes to that topic.
  // Fails (P…) when the topic is not declared or the stage ends in a store.
  virtual Result<uint32_t> use_side(std::string_view topic, const Shape& shape,
                                    const Place& place) = 0;
  // Index of the step that is being made, for rejects; and its name for people ("steps[2]").
  virtual uint32_t step_index() const = 0;
};

enum class PartKind : uint8_t { step, log, store, table, source, registry };

struct PartSpec {
  PartKind kind;
  std::string_view name;       // "drop", "sqlite", "kafka", "csv"
  std::string_view doc;        // one or two sentences
  std::string_view guarantee;  // what it promises about nothing lost, nothing twice
  std::vector<FieldSpec> fields;
  // The field that a bare scalar or list stands for (`unset: [a]`, `send: topic`), or "".
  std::string_view bare;
  // When true, the mapping's own keys are not fields but names chosen by the user (`set: {kw: …}`);
  // `fields` has one entry that describes the values.
  bool open = false;
  bool built = true;  // false: known to check and plan, not yet to run
  // Steps that remember something between records: what, for each input partition, and its
  // bound, in
  // words. Empty: the step is pure. Only stages that end in a log may have such steps.
  std::function<std::string(const Config&)> remembers = {};
  // Parts whose settings change the guarantee: what it is with these.
  std::function<std::string(const Config&)> promises = {};
  // Steps only.
  std::function<Result<std::unique_ptr<Step>>(const Config&, Shape&, MakeContext&)> make;
};

}  // namespace penstock::flow
