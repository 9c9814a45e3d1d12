#include "gpu/shared_weights.h"

#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "core/error.h"
#include "gpu/cuda_stream.h"
#include "gpu/ipc_memory.h"
#include "gpu/pinned_block.h"

namespace warmswap {
namespace {

void RequireSize(const SlabReference& slab, const WeightPlan& plan) {
  if (slab.size == plan.size() && slab.size > 0) return;
  throw Error(ErrorCode::kFailedPrecondition,
              "the shared weights have " + std::to_string(slab.size) + " bytes, the model's " +
                  std::to_string(plan.size()));
}

void RequireContents(const std::shared_ptr<const PrimaryContext>& context, const WeightPlan& plan,
                     const std::byte* block) {
  const PinnedBlock host(context, WeightPlan::kPieceBytes);
  CudaStream stream(context);
  for (const auto& [source, file, file_offset, offset] : plan.Pieces()) {
    stream.CopyToHost({static_cast<std::byte*>(host.data()), source.size()}, block + offset);
    stream.Wait();
    if (std::memcmp(host.data(), source.data(), source.size()) == 0) continue;
    throw Error(
        ErrorCode::kFailedPrecondition,
        "the shared weights are not the model's, from byte " + std::to_string(offset) + " on");
  }
}

}  // namespace

std::shared_ptr<const DeviceWeights> OpenSharedWeights(
    const std::shared_ptr<const PrimaryContext>& context, const SlabReference& slab,
    const WeightPlan& plan, const OrtMemoryInfo* info) {
  RequireSize(slab, plan);
  auto opened = std::make_shared<IpcMemory>(context, slab.handle);
  RequireContents(context, plan, static_cast<const std::byte*>(opened->data()));
  std::shared_ptr<void> memory(opened, opened->data());
  return std::make_shared<const DeviceWeights>(plan, std::move(memory), info);
}

}  // namespace warmswap
