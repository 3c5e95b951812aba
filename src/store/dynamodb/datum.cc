#include "store/dynamodb/datum.h"

#include "avro/cursor.h"
#include "avro/logical_text.h"
#include "base/json_write.h"
#include "store/dynamodb/number.h"

#include <cstddef>

namespace penstock::store::dynamodb {
namespace {

using avro::Fault;
using avro::Node;
using avro::Type;

constexpr uint32_t kLevelsMax = 32;
constexpr int64_t kZeroSizeItemsMax = 10'000;

class Walker {
 public:
  Walker(ByteView datum, std::string& out, size_t& size, Refusal& refusal)
      : in_{datum.data(), datum.data() + datum.size()}, out_(out), size_(size), refusal_(refusal) {}

  // `top`: a null is left out.
  bool value(const Node& type, bool top) {
    switch (type.type) {
      case Type::null_:
        if (!top) out_ += R"({"NULL":true})";
        size_ += 1;
        return true;
      case Type::boolean: {
        uint8_t truth = 0;
        if (!good(avro::read_boolean(in_, truth))) return false;
        out_ += truth != 0 ? R"({"BOOL":true})" : R"({"BOOL":false})";
        size_ += 1;
        return true;
      }
      case Type::int_:
      case Type::long_: {
        int64_t number = 0;
        const bool is_int = type.type == Type::int_;
        return good(is_int ? avro::read_int(in_, number) : avro::read_long(in_, number)) &&
               append_whole(type, number, out_, size_, refusal_);
      }
      case Type::float_:
        return real<float>();
      case Type::double_:
        return real<double>();
      case Type::string: {
        ByteView value;
        return good(avro::read_string(in_, value)) && text(value);
      }
      case Type::enum_: {
        uint32_t index = 0;
        const auto limit = static_cast<uint32_t>(type.symbols.size());
        return good(avro::read_index(in_, limit, Fault::enum_index, index)) &&
               text(type.symbols[index]);
      }
      case Type::bytes:
      case Type::fixed:
        return octets(type);
      case Type::union_: {
        uint32_t index = 0;
        const auto limit = static_cast<uint32_t>(type.branches.size());
        return good(avro::read_index(in_, limit, Fault::union_index, index)) &&
               value(*type.branches[index], top);
      }
      default:
        return composite(type);
    }
  }

 private:
  bool good(Fault fault) {
    if (fault == Fault::none) return true;
    refusal_ = {"store.constraint", std::string(avro::fault_text(fault))};
    return false;
  }

  template <class T>
  bool real() {
    T number = 0;
    return good(avro::read_float(in_, number)) &&
           append_real(static_cast<double>(number), sizeof(T) == sizeof(float), out_, size_,
                       refusal_);
  }

  bool text(std::string_view value) {
    out_ += R"({"S":)";
    append_json_string(value, out_);
    out_ += '}';
    size_ += value.size();
    return true;
  }

  bool octets(const Node& type) {
    ByteView bytes;
    if (type.type == Type::bytes) {
      if (!good(avro::read_bytes(in_, bytes))) return false;
    } else {
      bytes = {in_.at, type.size_bytes};
      if (!good(avro::skip_bytes(in_, type.size_bytes))) return false;
    }
    if (type.logical == avro::Logical::decimal)
      return append_decimal_number(bytes, type.scale, out_, size_, refusal_);
    std::string uuid;
    if (type.logical == avro::Logical::uuid && avro::append_uuid(bytes, uuid)) return text(uuid);
    out_ += R"({"B":")";
    append_base64(bytes, out_);
    out_ += "\"}";
    size_ += bytes.size();
    return true;
  }

  bool composite(const Node& type) {
    if (level_ == kLevelsMax) {
      refusal_ = {"store.too_large", "is nested more than 32 deep"};
      return false;
    }
    ++level_;
    size_ += 3;
    const bool whole = type.type == Type::record ? record(type) : items(type);
    --level_;
    return whole;
  }

  bool record(const Node& type) {
    out_ += R"({"M":{)";
    const size_t start = out_.size();
    for (const avro::Field& field : type.fields) {
      if (!named(field.name, *field.type, start)) return false;
    }
    out_ += "}}";
    return true;
  }

  // A null member is left out, like a null attribute.
  bool named(std::string_view name, const Node& type, size_t start) {
    const size_t before = out_.size();
    if (before > start) out_ += ',';
    append_json_string(name, out_);
    out_ += ':';
    const size_t at = out_.size();
    if (!value(type, true)) return false;
    if (out_.size() == at) {
      out_.resize(before);
    } else {
      size_ += name.size() + 1;
    }
    return true;
  }

  bool items(const Node& type) {
    const bool map = type.type == Type::map;
    out_ += map ? R"({"M":{)" : R"({"L":[)";
    const size_t start = out_.size();
    while (true) {
      uint64_t count = 0;
      const char* block_end = nullptr;
      if (!good(avro::read_block(in_, map ? 1 : 0, count, block_end))) return false;
      if (count == 0) break;
      for (; count > 0; --count) {
        if (!(map ? member(*type.items, start) : item(*type.items, start))) return false;
      }
    }
    out_ += map ? "}}" : "]}";
    return true;
  }

  bool member(const Node& type, size_t start) {
    ByteView key;
    return good(avro::read_string(in_, key)) && named(key, type, start);
  }

  bool item(const Node& type, size_t start) {
    if (out_.size() > start) out_ += ',';
    const char* before = in_.at;
    size_ += 1;
    if (!value(type, false)) return false;
    if (in_.at != before || zero_size_left_-- > 0) return true;
    refusal_ = {"store.too_large", "has too many items of no size"};
    return false;
  }

  avro::Cursor in_;
  std::string& out_;
  size_t& size_;
  Refusal& refusal_;
  uint32_t level_ = 0;
  int64_t zero_size_left_ = kZeroSizeItemsMax;
};

}  // namespace

bool append_datum(const Node& type, ByteView datum, std::string& out, size_t& size,
                  Refusal& refusal) {
  return Walker(datum, out, size, refusal).value(type, true);
}

}  // namespace penstock::store::dynamodb
