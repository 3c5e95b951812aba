// Avro bytes to JSON text.
#include "avro/cursor.h"
#include "avro/json.h"
#include "avro/json_encoder.h"
#include "avro/json_text.h"
#include "avro/logical_text.h"
#include "avro/value_path.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penstock::avro {
namespace {

class Printer {
 public:
  Printer(JsonStyle style, ByteView datum)
      : plain_(style == JsonStyle::plain), in_{datum.data(), datum.data() + datum.size()} {}

  bool print(const Node& type) {
    if (!value(type)) return false;
    return in_.at == in_.end || stop(Fault::trailing);
  }
  std::string take() { return std::move(out_); }
  std::string why() const {
    return path_.empty() ? std::string(fault_text(fault_))
                         : fmt::format("{}, at {}", fault_text(fault_), path_.text());
  }

 private:
  bool stop(Fault fault) {
    fault_ = fault;
    return fault == Fault::none;
  }

  bool value(const Node& type) {
    if (out_.size() > kMaxResolvedBytes) return stop(Fault::too_large);
    switch (type.type) {
      case Type::null_:
        out_ += "null";
        return true;
      case Type::boolean: {
        uint8_t truth = 0;
        if (!stop(read_boolean(in_, truth))) return false;
        out_ += truth != 0 ? "true" : "false";
        return true;
      }
      case Type::int_:
      case Type::long_:
        return whole(type);
      case Type::float_:
        return real<float>();
      case Type::double_:
        return real<double>();
      case Type::string: {
        ByteView text;
        if (!stop(read_string(in_, text))) return false;
        append_json_string(text, out_);
        return true;
      }
      case Type::enum_: {
        uint32_t index = 0;
        const auto symbols = static_cast<uint32_t>(type.symbols.size());
        if (!stop(read_index(in_, symbols, Fault::enum_index, index))) return false;
        append_json_string(type.symbols[index], out_);
        return true;
      }
      case Type::bytes:
      case Type::fixed:
        return octets(type);
      default:
        return composite(type);
    }
  }

  bool composite(const Node& type) {
    if (depth_ == kMaxJsonDepth) return stop(Fault::depth);
    ++depth_;
    bool whole = false;
    if (type.type == Type::record) whole = record(type);
    if (type.type == Type::union_) whole = union_value(type);
    if (type.type == Type::array || type.type == Type::map) whole = items(type);
    --depth_;
    return whole;
  }

  bool whole(const Node& type) {
    int64_t number = 0;
    const Fault fault = type.type == Type::int_ ? read_int(in_, number) : read_long(in_, number);
    if (!stop(fault)) return false;
    if (plain_ && is_time(type.logical)) {
      const size_t quote = out_.size();
      out_ += '"';
      if (append_logical_time(type.logical, number, out_)) {
        out_ += '"';
        return true;
      }
      out_.resize(quote);
    }
    out_ += std::to_string(number);
    return true;
  }

  template <class T>
  bool real() {
    T number = 0;
    if (!stop(read_float(in_, number))) return false;
    if (std::isnan(number)) {
      out_ += R"("NaN")";
    } else if (std::isinf(number)) {
      out_ += number < 0 ? R"("-Infinity")" : R"("Infinity")";
    } else {
      char text[40];
      const auto written = std::to_chars(text, text + sizeof(text), number);
      const std::string_view digits(text, static_cast<size_t>(written.ptr - text));
      out_ += digits;
      if (digits.find_first_of(".e") == std::string_view::npos) out_ += ".0";
    }
    return true;
  }

  bool octets(const Node& type) {
    ByteView bytes;
    if (type.type == Type::bytes) {
      if (!stop(read_bytes(in_, bytes))) return false;
    } else {
      bytes = {in_.at, type.size_bytes};
      if (!stop(skip_bytes(in_, type.size_bytes))) return false;
    }
    if (plain_ && logical_octets(type, bytes)) return true;
    std::string text;
    for (const char byte : bytes) append_code_point(static_cast<uint8_t>(byte), text);
    append_json_string(text, out_);
    return true;
  }

  bool logical_octets(const Node& type, ByteView bytes) {
    const size_t quote = out_.size();
    out_ += '"';
    const bool written =
        (type.logical == Logical::decimal && append_decimal(bytes, type.scale, out_)) ||
        (type.logical == Logical::uuid && append_uuid(bytes, out_));
    if (written) {
      out_ += '"';
    } else {
      out_.resize(quote);
    }
    return written;
  }

  bool record(const Node& type) {
    out_ += '{';
    for (const Field& field : type.fields) {
      if (&field != type.fields.data()) out_ += ',';
      append_json_string(field.name, out_);
      out_ += ':';
      path_.enter(field.name);
      if (!value(*field.type)) return false;
      path_.leave();
    }
    out_ += '}';
    return true;
  }

  bool union_value(const Node& type) {
    uint32_t index = 0;
    const auto branches = static_cast<uint32_t>(type.branches.size());
    if (!stop(read_index(in_, branches, Fault::union_index, index))) return false;
    const Node& branch = *type.branches[index];
    if (plain_ || branch.type == Type::null_) return value(branch);
    out_ += '{';
    append_json_string(branch_tag(branch), out_);
    out_ += ':';
    if (!value(branch)) return false;
    out_ += '}';
    return true;
  }

  bool items(const Node& type) {
    const bool map = type.type == Type::map;
    out_ += map ? '{' : '[';
    const size_t begin = out_.size();
    std::vector<Entry> entries;
    path_.enter(uint64_t{0});
    for (uint64_t number = 0;;) {
      uint64_t count = 0;
      const char* block_end = nullptr;
      if (!stop(read_block(in_, map ? 1 : 0, count, block_end))) return false;
      if (count == 0) break;
      if (!map && type.items->type == Type::null_) {
        if (!nulls(count, number)) return false;
        number += std::exchange(count, 0);
      }
      for (; count > 0; --count, ++number) {
        path_.turn_to(number);
        if (number != 0) out_ += ',';
        if (!(map ? entry(type, entries) : item(type))) return false;
      }
      if (block_end != nullptr && in_.at != block_end) return stop(Fault::block);
    }
    path_.leave();
    if (map) keep_last(begin, entries);
    out_ += map ? '}' : ']';
    return true;
  }

  // A few bytes of input ask for many of these.
  bool nulls(uint64_t count, uint64_t number) {
    if (count > static_cast<uint64_t>(zero_size_left_)) {
      path_.turn_to(number + static_cast<uint64_t>(zero_size_left_));
      return stop(Fault::zero_size);
    }
    zero_size_left_ -= static_cast<int64_t>(count);
    for (; count > 0; --count, ++number) out_ += number == 0 ? "null" : ",null";
    return true;
  }

  bool item(const Node& type) {
    const char* before = in_.at;
    if (!value(*type.items)) return false;
    return in_.at != before || zero_size_left_-- > 0 || stop(Fault::zero_size);
  }

  // A map's entry and where it stands in the text.
  struct Entry {
    ByteView key;
    size_t begin, end;
  };

  bool entry(const Node& type, std::vector<Entry>& entries) {
    Entry made{.key = {}, .begin = out_.size(), .end = 0};
    if (!stop(read_string(in_, made.key))) return false;
    append_json_string(made.key, out_);
    out_ += ':';
    if (!value(*type.items)) return false;
    made.end = out_.size();
    entries.push_back(made);
    return true;
  }

  // A key that comes again replaces the one before, as Avro's readers have it.
  void keep_last(size_t begin, const std::vector<Entry>& entries) {
    std::unordered_map<ByteView, size_t> last;
    for (size_t at = 0; at < entries.size(); ++at) last[entries[at].key] = at;
    if (last.size() == entries.size()) return;
    const std::string all = out_.substr(begin);
    out_.resize(begin);
    for (size_t at = 0; at < entries.size(); ++at) {
      if (last[entries[at].key] != at) continue;
      if (out_.size() > begin) out_ += ',';
      out_.append(all, entries[at].begin - begin, entries[at].end - entries[at].begin);
    }
  }

  const bool plain_;
  Cursor in_;
  std::string out_;
  ValuePath path_;
  Fault fault_ = Fault::none;
  uint32_t depth_ = 0;
  int64_t zero_size_left_ = kMaxZeroSizeItems;
};

}  // namespace

Result<std::string> to_json(const Node& type, ByteView datum, JsonStyle style) {
  Printer printer(style, datum);
  if (!printer.print(type)) return fail("A005"_code, printer.why());
  return printer.take();
}

}  // namespace penstock::avro
