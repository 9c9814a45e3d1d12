#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/ort.h"
#include "core/weight_plan.h"

namespace warmswap {

/// Weights that lie in memory of a device already, for sessions that are to make no copies of them.
class DeviceWeights {
 public:
  /// `memory` is the block that `plan` describes, filled, and `info` says which device's; it is let
  /// go of with this object.
  DeviceWeights(const WeightPlan& plan, std::shared_ptr<void> memory, const OrtMemoryInfo* info);

  /// All of them.
  std::uint64_t bytes() const noexcept { return bytes_; }

  /// Gives them to sessions that are made with `options`, all of which must go before this.
  void AddTo(Ort::SessionOptions& options) const;

 private:
  struct Named {
    std::string name;
    Ort::Value value;
  };

  const std::shared_ptr<void> memory_;
  const std::uint64_t bytes_;
  std::vector<Named> values_;
};

}  // namespace warmswap
