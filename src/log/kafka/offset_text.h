// offset_text.h — what travels with a committed offset: term, lineage and fates, as one line of
// text.
//
// In the group's offset metadata: `penstock=1 term=7 lineage=<topic id> <fates>`; at most
// kMaxMetadataBytes, so fates with very many outputs shrink to their sums there (`sums=1`) and
// stand whole in <pipeline>.positions, whose values are `next=<offset> ` and the whole line.
//
// Thread      pure functions.
// Errors      text that is not of this form is nullopt: somebody else's metadata, or hostile.
#pragma once

#include "base/units.h"
#include "flow/positions.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::log::kafka {

inline constexpr size_t kMaxMetadataBytes = 3800;  // the broker takes 4,096

struct OffsetText {
  Term term;
  std::string lineage;  // empty: an input that is no topic
  flow::Fates fates;
  bool sums_only = false;  // fates.out, .dropped and .copied have one entry each: "*"
};

std::string metadata_text(const flow::Fates& fates, std::string_view lineage, Term term);
std::optional<OffsetText> offset_from_text(std::string_view text);

// A row of <pipeline>.positions.
struct PositionRow {
  Offset next;
  OffsetText text;
};
std::string position_key(std::string_view group, std::string_view input, int32_t partition);
std::string position_value(Offset next, const flow::Fates& fates, std::string_view lineage,
                           Term term);
std::optional<PositionRow> position_from_value(std::string_view value);

}  // namespace penstock::log::kafka
