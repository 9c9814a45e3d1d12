#include "cuda_standin.h"

#include <dlfcn.h>
#include <doctest/doctest.h>

namespace warmswap::test {
namespace {

template <typename Function>
Function Find(const char* name) {
  void* const library = dlopen(CUDA_STANDIN, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  REQUIRE(library != nullptr);
  const auto function = reinterpret_cast<Function>(dlsym(library, name));
  REQUIRE(function != nullptr);
  return function;
}

}  // namespace

CudaStandin::CudaStandin()
    : reset_(Find<StandinReset>("standin_reset")),
      set_(Find<StandinSet>("standin_set")),
      count_(Find<StandinCount>("standin_count")) {
  reset_();
  before_ = counts();
}

CudaStandin::~CudaStandin() {
  CHECK(is_clean());
  reset_();
}

std::filesystem::path CudaStandin::path() { return CUDA_STANDIN; }

bool CudaStandin::is_clean() const {
  const StandinCounts now = counts();
  return now.contexts == before_.contexts && now.device_blocks == before_.device_blocks &&
         now.host_blocks == before_.host_blocks && now.streams == before_.streams &&
         now.opened_handles == before_.opened_handles &&
         now.pushed_contexts == before_.pushed_contexts &&
         now.device_bytes == before_.device_bytes && now.host_bytes == before_.host_bytes;
}

}  // namespace warmswap::test
