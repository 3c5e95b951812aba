// pseudonym: fields become what only the key's owner can find again.

#include "aws/digest.h"
#include "file/secret/secret.h"
#include "step/bound_rule.h"
#include "step/steps.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>
#include <vector>

namespace penstock::step {
namespace {

constexpr size_t kKeyBytesMin = 16;
constexpr int kBytesMin = 8;
constexpr int kBytesMax = 32;  // of an HMAC-SHA-256

struct Field {
  uint32_t from, to;
  bool nullable;
};

class Pseudonym final : public flow::Step {
 public:
  Pseudonym(std::vector<Field> fields, std::string key, std::string prefix, size_t digits)
      : fields_(std::move(fields)),
        key_(std::move(key)),
        prefix_(std::move(prefix)),
        digits_(digits) {}

  void apply(row::Batch& batch, flow::StepContext&) override {
    for (const Field& field : fields_) {
      row::Column made = batch.make_column(row::Kind::string, field.nullable);
      const row::Column& from = batch.columns[field.from];
      for (const uint32_t row : batch.live) {
        made.views[row] = {};
        if (from.is_null(row))
          made.nulls[row] = 1;
        else
          made.views[row] = batch.arena->copy(pseudonym_of(from.views[row]));
      }
      batch.columns[field.to] = made;
    }
  }

 private:
  // Of the value alone: the same in every field, topic and pipeline with this key.
  std::string pseudonym_of(ByteView value) const {
    return prefix_ + aws::hex(aws::hmac_sha256(key_, value)).substr(0, digits_);
  }

  std::vector<Field> fields_;
  std::string key_;
  std::string prefix_;  // "v2."
  size_t digits_;
};

Result<Field> make_field(const flow::Config& config, const yaml::Node& name, flow::Shape& shape) {
  const flow::Shape::Field* field = shape.field(name.text);
  if (field == nullptr) return std::unexpected(no_such_field(config, name, shape));
  const avro::Node* branch = field->type->nullable_branch();
  const avro::Node& type = branch != nullptr ? *branch : *field->type;
  if (type.type != avro::Type::string) {
    return fail("P313"_code, fmt::format("\"{}\" is {}", name.text, avro::describe(*field->type)))
        .at(config.place(name));
  }
  PENSTOCK_TRY(made, avro::parse(branch != nullptr ? R"(["null","string"])" : R"("string")"));
  const Field bound{shape.slot(name.text), shape.new_slot(), branch != nullptr};
  const avro::Node* node = &made->root();
  shape.set(name.text, std::move(made), node, bound.to);
  return bound;
}

Result<std::string> read_key(const flow::Config& config) {
  const yaml::Node& node = *config.find("key");
  if (!file::is_secret(node.text)) {
    return fail("P049"_code, "\"key\" holds its secret in clear text").at(config.place(node));
  }
  PENSTOCK_TRY(key, file::text_or_secret(config, node, file::read_secret));
  if (key.size() < kKeyBytesMin) {
    return fail("L115"_code, fmt::format("the key has {} bytes", key.size()))
        .at(config.place(node))
        .because("whoever guesses the key finds the values again")
        .cure(fmt::format("take {} bytes or more, drawn at random", kKeyBytesMin));
  }
  return std::move(key);
}

Result<int> read_bytes(const flow::Config& config) {
  const std::string text = config.text("bytes", "32");
  int bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (bytes >= kBytesMin && bytes <= kBytesMax) return bytes;
  return fail("P026"_code, fmt::format("a pseudonym has {} to {} bytes", kBytesMin, kBytesMax))
      .at(config.place("bytes"));
}

// The key comes last: `check` proves a file where there is none.
Result<std::unique_ptr<flow::Step>> make(const flow::Config& config, flow::Shape& shape,
                                         flow::MakeContext&) {
  std::vector<Field> fields;
  for (const yaml::Node* name : config.list("fields")) {
    PENSTOCK_TRY(field, make_field(config, *name, shape));
    fields.push_back(field);
  }
  PENSTOCK_TRY(bytes, read_bytes(config));
  std::string prefix = config.text("version");
  if (!prefix.empty()) prefix += ".";
  PENSTOCK_TRY(key, read_key(config));
  return std::make_unique<Pseudonym>(std::move(fields), std::move(key), std::move(prefix),
                                     2 * static_cast<size_t>(bytes));
}

}  // namespace

flow::PartSpec pseudonym() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::step;
  spec.name = "pseudonym";
  spec.doc =
      "Replaces texts by their HMAC-SHA-256 in hex: the same value has the same pseudonym "
      "everywhere under one key, and nobody without the key finds the value again.";
  spec.guarantee = "Pure; the same after restarts and on every worker.";
  spec.fields = {{.name = "fields",
                  .type = flow::FieldType::fields,
                  .required = true,
                  .doc = "The fields to replace: strings, or null.",
                  .example = "[meter_id]"},
                 {.name = "key",
                  .type = flow::FieldType::text,
                  .required = true,
                  .doc = "The key: a secret of 16 bytes or more.",
                  .example = "${secret:meter-key}"},
                 {.name = "version",
                  .type = flow::FieldType::text,
                  .doc = "Stands before each pseudonym and a dot: which key it was.",
                  .example = "v2"},
                 {.name = "bytes",
                  .type = flow::FieldType::count,
                  .fallback = "32",
                  .doc = "How many bytes are kept, 8 to 32; each is two digits.",
                  .example = "16"}};
  spec.make = make;
  return spec;
}

}  // namespace penstock::step
