#include "gpu/weights_slab.h"

#include <bit>
#include <cstddef>

#include "core/error.h"
#include "gpu/weight_copy.h"

namespace warmswap {
namespace {

/// Smaller allocations share a block of the driver's, and a handle opens the whole of it.
constexpr std::uint64_t kGranularity = std::uint64_t{2} << 20U;

cuda::IpcMemoryHandle Export(const PrimaryContext& context, const DeviceBuffer& memory) {
  const PrimaryContext::Scope scope(context);
  const CudaDriver& driver = context.driver();
  cuda::IpcMemoryHandle handle{};
  const auto address = std::bit_cast<cuda::DevicePointer>(memory.data());
  driver.Check(driver.functions().IpcGetMemHandle(&handle, address), "cuIpcGetMemHandle");
  return handle;
}

std::uint64_t SizeOf(const WeightPlan& plan) {
  if (plan.size() > 0) return plan.size();
  throw Error(ErrorCode::kFailedPrecondition, "the model has no weights that can be shared");
}

}  // namespace

WeightsSlab::WeightsSlab(const std::shared_ptr<const PrimaryContext>& context,
                         const WeightPlan& plan)
    : size_(SizeOf(plan)),
      memory_(context, (size_ + kGranularity - 1) / kGranularity * kGranularity),
      handle_(Export(*context, memory_)) {
  CopyWeights(context, plan, static_cast<std::byte*>(memory_.data()), LoadCancellation());
}

}  // namespace warmswap
