#pragma once

#include <cstdint>
#include <memory>

#include "core/weight_plan.h"
#include "gpu/device_buffer.h"
#include "gpu/primary_context.h"

namespace warmswap {

/// The weights of a model in one block of a GPU's memory, which other processes can open. They must
/// have closed it, or ended, before this goes.
class WeightsSlab {
 public:
  /// Takes the memory and fills it (CopyWeights). Throws kFailedPrecondition where `plan` has no
  /// weight, else as that does.
  WeightsSlab(const std::shared_ptr<const PrimaryContext>& context, const WeightPlan& plan);

  const cuda::IpcMemoryHandle& handle() const noexcept { return handle_; }
  /// Of the plan.
  std::uint64_t size() const noexcept { return size_; }

 private:
  const std::uint64_t size_;
  const DeviceBuffer memory_;
  cuda::IpcMemoryHandle handle_{};
};

}  // namespace warmswap
