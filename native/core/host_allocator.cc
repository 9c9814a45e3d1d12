#include "core/host_allocator.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace warmswap {

HostAllocator::HostAllocator()
    : allocator_(pool_, Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault)) {}

void HostAllocator::Register(const Ort::Env& env) {
  Ort::ThrowOnError(Ort::GetApi().RegisterAllocator(env, allocator_.get()));
}

void HostAllocator::ReleaseUnused() noexcept {
  pool_.Trim();
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace warmswap
