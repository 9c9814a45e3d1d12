#include "core/host_allocator.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace warmswap {

HostAllocator::Interface::Interface()
    : OrtAllocator{}, info(Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault)) {
  OrtAllocator::version = 21;  // that of OrtLibrary's function table
  OrtAllocator::Alloc = &HostAllocator::Take;
  OrtAllocator::Free = &HostAllocator::Give;
  OrtAllocator::Info = &HostAllocator::Info;
  OrtAllocator::Reserve = &HostAllocator::Take;
}

HostAllocator::HostAllocator() = default;

void HostAllocator::Register(const Ort::Env& env) {
  Ort::ThrowOnError(Ort::GetApi().RegisterAllocator(env, &interface_));
}

void HostAllocator::ReleaseUnused() noexcept {
  interface_.pool.Trim();
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void* HostAllocator::Take(OrtAllocator* self, std::size_t bytes) {
  return static_cast<Interface*>(self)->pool.Take(bytes);
}

void HostAllocator::Give(OrtAllocator* self, void* block) {
  static_cast<Interface*>(self)->pool.Give(block);
}

const OrtMemoryInfo* HostAllocator::Info(const OrtAllocator* self) {
  return static_cast<const Interface*>(self)->info;
}

}  // namespace warmswap
