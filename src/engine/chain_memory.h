// chain_memory.h — the memories of a chain's steps as one.
//
// Each step's rows are kept under its name and a '/'; a name that comes again gets a number. Rows
// of names that the chain does not have (any more: the file was changed) leave with the next epoch
// that changes their partition's state.
//
// Thread      the chain's worker.
// Lifetime    the steps outlive it.
#pragma once

#include "flow/memory.h"
#include "flow/step.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::engine {

class ChainMemory final : public flow::Memory {
 public:
  // Null when no step remembers anything.
  static std::unique_ptr<ChainMemory> make(std::span<const std::unique_ptr<flow::Step>> steps);

  std::string_view name() const override { return "chain"; }
  Result<void> restore(Partition partition, const flow::StateRows& rows) override;
  void forget(Partition partition) override;
  void close(Arena& arena, std::vector<flow::StateChange>& changes) override;
  void settle() override;
  void undo_open() override;
  void undo_closed() override;
  Size size() const override;

 private:
  struct Part {
    std::string prefix;  // "name/"
    flow::Memory* memory;
  };
  struct Stray {
    Partition partition;
    std::string key;
    bool told;  // by the closed epoch
  };
  std::vector<Part> parts_;
  std::vector<Stray> strays_;  // rows of steps that are gone
  std::vector<flow::StateChange> scratch_;
};

}  // namespace penstock::engine
