#include "gpu/copy_speed.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>

#include "gpu/cuda_stream.h"
#include "gpu/pinned_block.h"

namespace warmswap {
namespace {

/// Of `copy`, which is waited for.
template <typename Copy>
double BestSpeed(CudaStream& stream, std::size_t bytes, Copy copy) {
  constexpr int kCopies = 5;
  double best = 0;
  for (int i = 0; i < kCopies; ++i) {
    const auto started = std::chrono::steady_clock::now();
    copy();
    stream.Wait();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    best = std::max(best, static_cast<double>(bytes) / took.count());
  }
  return best;
}

}  // namespace

CopySpeed MeasureCopySpeed(const std::shared_ptr<const PrimaryContext>& context,
                           std::size_t bytes) {
  const PinnedBlock host(context, bytes);
  std::memset(host.data(), 1, bytes);
  CudaStream stream(context);
  const std::shared_ptr<void> device = stream.Allocate(bytes);
  const std::span<std::byte> all(static_cast<std::byte*>(host.data()), bytes);
  return {BestSpeed(stream, bytes, [&] { stream.CopyToDevice(device.get(), all); }),
          BestSpeed(stream, bytes, [&] { stream.CopyToHost(all, device.get()); })};
}

}  // namespace warmswap
