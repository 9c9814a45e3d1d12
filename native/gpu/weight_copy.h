#pragma once

#include <cstddef>
#include <memory>

#include "core/device_weights.h"
#include "core/load_cancellation.h"
#include "core/weight_plan.h"
#include "gpu/primary_context.h"

namespace warmswap {

/// Enough for a GPU's bus, if one reads 6 GB/s.
inline constexpr std::size_t kWeightReaders = 4;

/// Fills a block of a GPU's memory with the weights of `plan`. Several threads read their files
/// into pinned memory, each the next piece while its last one is copied: at most `most_readers`, a
/// core each, with pinned memory for two pieces. Blocks; throws kCancelled soon after
/// `cancellation` was, what File::ReadAt throws, and what the driver reports; then the block's
/// contents are undefined, but nothing writes to it any more.
void CopyWeights(const std::shared_ptr<const PrimaryContext>& context, const WeightPlan& plan,
                 std::byte* block, const LoadCancellation& cancellation,
                 std::size_t most_readers = kWeightReaders);

/// The same to memory of its own, which `info` is that of: for sessions of this process.
std::shared_ptr<const DeviceWeights> CopyToOwnMemory(
    const std::shared_ptr<const PrimaryContext>& context, const WeightPlan& plan,
    const OrtMemoryInfo* info, const LoadCancellation& cancellation);

}  // namespace warmswap
