#include "gpu/pinned_block.h"

#include <utility>

namespace warmswap {

PinnedBlock::PinnedBlock(std::shared_ptr<const PrimaryContext> context, std::size_t bytes)
    : context_(std::move(context)), size_(bytes) {
  const PrimaryContext::Scope scope(*context_);
  const CudaDriver& driver = context_->driver();
  driver.Check(driver.functions().MemHostAlloc(&data_, size_, cuda::kHostAllocPortable),
               "cuMemHostAlloc");
}

PinnedBlock::~PinnedBlock() {
  try {
    const PrimaryContext::Scope scope(*context_);
    context_->driver().functions().MemFreeHost(data_);
  } catch (...) {
    // A context that cannot be used any more has lost its memory already.
  }
}

}  // namespace warmswap
