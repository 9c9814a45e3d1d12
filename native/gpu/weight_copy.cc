#include "gpu/weight_copy.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "gpu/cuda_stream.h"
#include "gpu/device_buffer.h"
#include "gpu/pinned_block.h"

namespace warmswap {
namespace {

std::size_t LargestBytes(const std::vector<WeightPiece>& pieces) {
  std::size_t largest = 0;
  for (const WeightPiece& piece : pieces) largest = std::max(largest, piece.source.size());
  return largest;
}

/// Pinned memory for a piece that is on its way.
class Lane {
 public:
  Lane(const std::shared_ptr<const PrimaryContext>& context, std::size_t bytes)
      : block_(context, bytes), stream_(context) {}

  void Copy(std::byte* to, const WeightPlan& plan, const WeightPiece& piece) {
    stream_.Wait();
    auto* const staging = static_cast<std::byte*>(block_.data());
    plan.Read(piece, staging);
    stream_.CopyToDevice(to, {staging, piece.source.size()});
  }
  void Wait() { stream_.Wait(); }

 private:
  // In this order: the stream, which waits for copies from the block, goes first.
  const PinnedBlock block_;
  CudaStream stream_;
};

/// All pieces of a plan, for threads that take one after another.
class Copying {
 public:
  Copying(const std::shared_ptr<const PrimaryContext>& context, const WeightPlan& plan,
          std::byte* block, const LoadCancellation& cancellation)
      : context_(context),
        plan_(plan),
        block_(block),
        cancellation_(cancellation),
        pieces_(plan.Pieces()),
        largest_(LargestBytes(pieces_)) {}

  std::size_t pieces() const noexcept { return pieces_.size(); }

  /// Takes pieces until none is left. Does not throw: the first failure of all threads is kept, and
  /// ends the others early.
  void Work() noexcept {
    try {
      CopyPieces();
    } catch (...) {
      Fail(std::current_exception());
    }
  }

  /// To be called when no thread works any more.
  void ThrowIfFailed() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const WeightPiece* Next() {
    const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    return index < pieces_.size() && !has_failed_ ? &pieces_[index] : nullptr;
  }

  void CopyPieces() {
    const WeightPiece* piece = Next();
    if (piece == nullptr) return;
    Lane first(context_, largest_);
    Lane second(context_, largest_);
    const std::array lanes{&first, &second};
    for (std::size_t turn = 0; piece != nullptr; piece = Next()) {
      cancellation_.ThrowIfCancelled("weights");
      lanes.at(turn++ % lanes.size())->Copy(block_ + piece->offset, plan_, *piece);
    }
    for (Lane* lane : lanes) lane->Wait();
  }

  void Fail(std::exception_ptr failure) noexcept {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    has_failed_ = true;
  }

  const std::shared_ptr<const PrimaryContext>& context_;
  const WeightPlan& plan_;
  std::byte* const block_;
  const LoadCancellation& cancellation_;
  const std::vector<WeightPiece> pieces_;
  const std::size_t largest_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> has_failed_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

/// Beside the calling thread, whose low priority they have, too.
std::vector<std::jthread> StartReaders(Copying& copying, std::size_t most_readers) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t readers = std::min({most_readers, cores, copying.pieces()});
  std::vector<std::jthread> threads;
  try {
    while (threads.size() + 1 < readers) threads.emplace_back([&copying] { copying.Work(); });
  } catch (const std::system_error&) {
    // Fewer threads read the same.
  }
  return threads;
}

}  // namespace

void CopyWeights(const std::shared_ptr<const PrimaryContext>& context, const WeightPlan& plan,
                 std::byte* block, const LoadCancellation& cancellation, std::size_t most_readers) {
  Copying copying(context, plan, block, cancellation);
  {
    const std::vector<std::jthread> readers = StartReaders(copying, most_readers);
    copying.Work();
  }
  copying.ThrowIfFailed();
}

std::shared_ptr<const DeviceWeights> CopyToOwnMemory(
    const std::shared_ptr<const PrimaryContext>& context, const WeightPlan& plan,
    const OrtMemoryInfo* info, const LoadCancellation& cancellation) {
  auto buffer = std::make_shared<DeviceBuffer>(context, plan.size());
  CopyWeights(context, plan, static_cast<std::byte*>(buffer->data()), cancellation);
  std::shared_ptr<void> memory(buffer, buffer->data());
  return std::make_shared<const DeviceWeights>(plan, std::move(memory), info);
}

}  // namespace warmswap
