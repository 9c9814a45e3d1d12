#include "gpu/ipc_memory.h"

#include <utility>

namespace warmswap {

IpcMemory::IpcMemory(std::shared_ptr<const PrimaryContext> context,
                     const cuda::IpcMemoryHandle& handle)
    : context_(std::move(context)) {
  const PrimaryContext::Scope scope(*context_);
  const CudaDriver& driver = context_->driver();
  driver.Check(
      driver.functions().IpcOpenMemHandle(&address_, handle, cuda::kIpcLazyEnablePeerAccess),
      "cuIpcOpenMemHandle");
}

IpcMemory::~IpcMemory() {
  try {
    const PrimaryContext::Scope scope(*context_);
    context_->driver().functions().IpcCloseMemHandle(address_);
  } catch (...) {
    // A context that cannot be used any more has closed it already.
  }
}

}  // namespace warmswap
