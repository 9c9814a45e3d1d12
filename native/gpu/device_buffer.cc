#include "gpu/device_buffer.h"

#include <utility>

namespace warmswap {

DeviceBuffer::DeviceBuffer(std::shared_ptr<const PrimaryContext> context, std::size_t bytes)
    : context_(std::move(context)) {
  const PrimaryContext::Scope scope(*context_);
  const CudaDriver& driver = context_->driver();
  driver.Check(driver.functions().MemAlloc(&address_, bytes), "cuMemAlloc");
}

DeviceBuffer::~DeviceBuffer() {
  try {
    const PrimaryContext::Scope scope(*context_);
    context_->driver().functions().MemFree(address_);
  } catch (...) {
    // A context that cannot be used any more has lost its memory already.
  }
}

}  // namespace warmswap
