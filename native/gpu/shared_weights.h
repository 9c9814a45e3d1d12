#pragma once

#include <cstdint>
#include <memory>

#include "core/device_weights.h"
#include "core/weight_plan.h"
#include "gpu/primary_context.h"

namespace warmswap {

/// What another process hands out of a WeightsSlab.
struct SlabReference {
  cuda::IpcMemoryHandle handle{};
  std::uint64_t size = 0;
};

/// Opens the slab of another process and compares all of it with the files of `plan`; `info` is
/// that of the GPU. Closes it when the result goes. Throws kFailedPrecondition if it holds anything
/// else, and what the driver reports.
std::shared_ptr<const DeviceWeights> OpenSharedWeights(
    const std::shared_ptr<const PrimaryContext>& context, const SlabReference& slab,
    const WeightPlan& plan, const OrtMemoryInfo* info);

}  // namespace warmswap
