#include "flow/step.h"

namespace penstock::flow {

void remove_live(std::vector<uint32_t>& live, std::span<const uint32_t> gone) {
  if (gone.empty()) return;
  size_t kept = 0;
  size_t next = 0;
  for (const uint32_t row : live) {
    if (next < gone.size() && gone[next] == row) {
      ++next;
    } else {
      live[kept++] = row;
    }
  }
  live.resize(kept);
}

}  // namespace penstock::flow
