#include "avro/resolve.h"

#include "avro/builder.h"

#include <fmt/format.h>

namespace penstock::avro {

Result<Resolver> Resolver::compile(const Node& writer, const Node& reader) {
  Builder builder;
  std::string why;
  const bool keeps = builder.same(writer, reader) ||
                     (writer.type == Type::int_ && reader.type == Type::long_) ||
                     (writer.type == Type::string && reader.type == Type::bytes);
  if (!builder.resolve(writer, reader, &why)) {
    return fail("A020"_code, fmt::format("the schemas do not resolve: {}", why));
  }
  return Resolver(builder.finish(), keeps);
}

bool Resolver::run(ByteView datum, std::string& out, std::string* why) const {
  Machine machine(program_);
  Output to(out);
  if (machine.run(datum, 0, nullptr, &to)) [[likely]] {
    to.close();
    return true;
  }
  to.roll_back();
  if (why != nullptr) *why = machine.explain();
  return false;
}

bool validate(const Node& type, ByteView datum, std::string* why) {
  Builder builder;
  builder.walk(type);
  const Program program = builder.finish();
  Machine machine(program);
  if (machine.run(datum, 0, nullptr, nullptr)) return true;
  if (why != nullptr) *why = machine.explain();
  return false;
}

}  // namespace penstock::avro
