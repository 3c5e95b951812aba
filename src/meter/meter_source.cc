#include "meter/meter_source.h"

#include "avro/write.h"
#include "base/random.h"
#include "meter/random_datum.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <utility>

namespace penstock::meter {
namespace {

constexpr int64_t kDayMillis = 86'400'000;

double bump(double hour, double at, double width) {
  double distance = std::abs(hour - at);
  distance = std::min(distance, 24.0 - distance);
  return std::exp(-distance * distance / (2.0 * width * width));
}

// Share of the rated power, 0 to 1, before noise.
double load(bool business, double hour, bool weekend) {
  if (business) {
    const double day = bump(hour, 11.0, 2.8) + 0.8 * bump(hour, 15.5, 2.2);
    return 0.10 + (weekend ? 0.08 : 0.42) * day;
  }
  const double morning = bump(hour, weekend ? 10.0 : 7.3, weekend ? 2.2 : 1.3);
  return 0.08 + 0.26 * morning + 0.40 * bump(hour, 19.2, 2.1) + (weekend ? 0.06 : 0.0);
}

enum class Role : uint8_t { meter_id, at, kwh, kvarh, fixed_bytes, random };

struct FieldWriter {
  Role role = Role::random;
  const avro::Node* type = nullptr;  // without the null of a nullable
  int64_t branch = -1;               // of the union before the value, or -1
  std::string bytes;                 // Role::fixed_bytes
};

bool takes(Role role, const avro::Node& type) {
  using avro::Type;
  const bool text = type.type == Type::string;
  const bool whole = type.type == Type::long_ || type.type == Type::int_;
  const bool real = type.type == Type::double_ || type.type == Type::float_;
  switch (role) {
    case Role::meter_id:
      return text || whole;
    case Role::at:
      return type.type == Type::long_;
    default:
      return whole || real;
  }
}

int64_t time_in(const avro::Node& type, Millis at) {
  switch (type.logical) {
    case avro::Logical::timestamp_micros:
    case avro::Logical::local_timestamp_micros:
      return at.value * 1'000;
    case avro::Logical::timestamp_nanos:
    case avro::Logical::local_timestamp_nanos:
      return at.value * 1'000'000;
    default:
      return at.value;
  }
}

void append_number(const avro::Node& type, double value, std::string& out) {
  if (type.type == avro::Type::double_) return avro::append_double(value, out);
  if (type.type != avro::Type::float_) return avro::append_long(std::llround(value), out);
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

class MeterMaker final : public RecordMaker {
 public:
  MeterMaker(MeterSourceSpec spec, std::vector<FieldWriter> writers, RandomDatum datums)
      : spec_(std::move(spec)), writers_(std::move(writers)), datums_(std::move(datums)) {}

  void append(int64_t offset, std::string& out) const override {
    const auto count = static_cast<int64_t>(spec_.meters.size());
    const auto index = static_cast<uint64_t>(offset % count);
    const Millis at = spec_.start + offset / count * spec_.reading_millis;
    const Reading reading =
        reading_of(spec_.meters[index], spec_.seed, index, at, spec_.reading_millis);
    Random random(mix(spec_.seed ^ mix(static_cast<uint64_t>(offset))));
    for (const FieldWriter& writer : writers_) {
      if (writer.branch >= 0) avro::append_long(writer.branch, out);
      append_field(writer, index, at, reading, random, out);
    }
  }

 private:
  void append_field(const FieldWriter& writer, uint64_t index, Millis at, const Reading& reading,
                    Random& random, std::string& out) const {
    switch (writer.role) {
      case Role::meter_id:
        if (writer.type->type == avro::Type::string)
          return avro::append_bytes(spec_.meters[index].id, out);
        return avro::append_long(static_cast<int64_t>(index), out);
      case Role::at:
        return avro::append_long(time_in(*writer.type, at), out);
      case Role::kwh:
        return append_number(*writer.type, reading.kwh, out);
      case Role::kvarh:
        return append_number(*writer.type, reading.kvarh, out);
      case Role::fixed_bytes:
        out += writer.bytes;
        return;
      case Role::random:
        return datums_.append(*writer.type, nullptr, random, out);
    }
  }

  MeterSourceSpec spec_;
  std::vector<FieldWriter> writers_;
  RandomDatum datums_;
};

Result<FieldWriter> writer_of(const avro::Field& field) {
  static constexpr std::pair<std::string_view, Role> kRoles[] = {
      {"meter_id", Role::meter_id}, {"at", Role::at}, {"kwh", Role::kwh}, {"kvarh", Role::kvarh}};
  const avro::Node* inner = field.type->nullable_branch();
  FieldWriter writer;
  writer.type = inner != nullptr ? inner : field.type;
  const auto role = std::find_if(std::begin(kRoles), std::end(kRoles),
                                 [&](const auto& r) { return r.first == field.name; });
  const int64_t null_branch =
      inner != nullptr && field.type->branches[0]->type == avro::Type::null_ ? 0 : 1;
  if (role != std::end(kRoles)) {
    writer.role = role->second;
    if (inner != nullptr) writer.branch = 1 - null_branch;
    if (takes(writer.role, *writer.type)) return writer;
    return fail("M003"_code, fmt::format("field \"{}\" is {}: a reading's {} does not fit",
                                         field.name, avro::describe(*field.type), field.name));
  }
  if (field.has_default || inner != nullptr) {
    writer.role = Role::fixed_bytes;
    writer.bytes = field.default_datum;
    if (!field.has_default) avro::append_long(null_branch, writer.bytes);
    return writer;
  }
  writer.type = field.type;
  return writer;
}

Result<std::vector<FieldWriter>> writers_of(const avro::Node& root) {
  for (const std::string_view name : {"meter_id", "kwh"}) {
    if (root.field(name) == nullptr)
      return fail("M003"_code, fmt::format("the meters' topic has no field \"{}\"", name));
  }
  std::vector<FieldWriter> writers;
  for (const avro::Field& field : root.fields) {
    PENSTOCK_TRY(writer, writer_of(field));
    writers.push_back(std::move(writer));
  }
  return writers;
}

}  // namespace

Reading reading_of(const Meter& meter, uint64_t seed, uint64_t index, Millis at,
                   int64_t interval_millis) {
  const int64_t day = at.value / kDayMillis;
  const double hour = static_cast<double>(at.value % kDayMillis) / 3'600'000.0;
  const bool weekend = (day + 3) % 7 >= 5;  // 1970-01-01 was a Thursday; 0 = Monday
  Random random(mix(seed ^ mix(index ^ mix(static_cast<uint64_t>(at.value)))));
  const double habit = 0.6 + 0.4 * static_cast<double>(mix(seed + index) >> 11) * 0x1.0p-53;
  const double noise = 0.7 + 0.6 * random.unit();
  const double share = std::clamp(load(meter.business, hour, weekend) * habit * noise, 0.0, 1.0);
  Reading reading;
  reading.kwh = meter.rated_kw * share * static_cast<double>(interval_millis) / 3'600'000.0;
  reading.kvarh = reading.kwh * (random.unit() * 0.5 - 0.1);
  return reading;
}

Result<std::vector<Meter>> meters_of(const flow::TableVersion& table) {
  const std::vector<avro::Field>& fields = table.schema().root().fields;
  const auto column = [&](std::string_view name) -> const row::Column* {
    for (uint32_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == name) return &table.column(i);
    }
    return nullptr;
  };
  const row::Column *id = column("meter_id"), *tariff = column("tariff"),
                    *rated = column("rated_kw");
  if (id == nullptr || id->kind != row::Kind::string)
    return fail("M004"_code, "the meters' table has no text column \"meter_id\"");
  std::vector<Meter> meters;
  for (uint32_t row = 0; row < table.rows(); ++row) {
    Meter meter;
    meter.id = id->views[row];
    meter.business = tariff != nullptr && tariff->kind == row::Kind::string &&
                     tariff->views[row].starts_with("G");
    double kw = 0.0;
    if (rated != nullptr && rated->kind == row::Kind::string) {
      std::from_chars(rated->views[row].data(), rated->views[row].data() + rated->views[row].size(),
                      kw);
    } else if (rated != nullptr && rated->kind == row::Kind::float64) {
      kw = rated->float64s[row];
    }
    if (kw > 0.0 && kw < 1e9) meter.rated_kw = kw;
    meters.push_back(std::move(meter));
  }
  if (meters.empty()) return fail("M004"_code, "the meters' table has no rows");
  return meters;
}

Result<void> check_readings(const avro::Schema& schema) {
  PENSTOCK_TRY_VOID(writers_of(schema.root()));
  return {};
}

Result<std::unique_ptr<PacedSource>> open_meters(MeterSourceSpec spec, const Clock& clock) {
  PENSTOCK_TRY(writers, writers_of(spec.schema->root()));
  PENSTOCK_TRY(datums, RandomDatum::make(spec.schema));
  const std::string name = "meter:" + spec.producer;
  const Pace pace{spec.meters.size(), spec.every_millis};
  const avro::SchemaPtr schema = spec.schema;
  const avro::Framing framing = spec.framing;
  return std::make_unique<PacedSource>(
      name, std::make_unique<MeterMaker>(std::move(spec), std::move(writers), std::move(datums)),
      schema, framing, pace, clock);
}

}  // namespace penstock::meter
