#include "gpu/weights_slab.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

#include "core/error.h"
#include "gpu/cuda_stream.h"
#include "gpu/pinned_block.h"

namespace warmswap {
namespace {

/// Smaller allocations share a block of the driver's, and a handle opens the whole of it.
constexpr std::uint64_t kGranularity = std::uint64_t{2} << 20U;

/// One piece is copied to the GPU while the next is read from the file.
class Lane {
 public:
  explicit Lane(const std::shared_ptr<const PrimaryContext>& context)
      : block_(context, WeightPlan::kPieceBytes), stream_(context) {}

  void Copy(std::byte* to, std::span<const std::byte> piece) {
    stream_.Wait();
    std::memcpy(block_.data(), piece.data(), piece.size());
    stream_.CopyToDevice(to, {static_cast<const std::byte*>(block_.data()), piece.size()});
  }
  void Wait() { stream_.Wait(); }

 private:
  const PinnedBlock block_;
  CudaStream stream_;
};

void Fill(const std::shared_ptr<const PrimaryContext>& context, const WeightPlan& plan,
          std::byte* block) {
  Lane first(context);
  Lane second(context);
  const std::array lanes{&first, &second};
  std::size_t turn = 0;
  plan.ForEachPiece([&](std::span<const std::byte> piece, std::uint64_t offset) {
    lanes.at(turn++ % lanes.size())->Copy(block + offset, piece);
  });
  for (Lane* lane : lanes) lane->Wait();
}

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
  Fill(context, plan, static_cast<std::byte*>(memory_.data()));
}

}  // namespace warmswap
