// A stand-in for an ONNX Runtime with CUDA, for machines without a GPU: the one at
// STANDIN_ONNXRUNTIME (a macro), which runs on the processor what is to run on a GPU. The memory of
// the stand-in for the driver is the host's, so its sessions read from there what they are given.
#include <dlfcn.h>
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

struct OrtCUDAProviderOptionsV2 {};

namespace {

constexpr std::uint32_t kVersion =
    21;  // of the table that the addon asks for; others are not changed

const OrtApiBase& Real() {
  using GetApiBase = const OrtApiBase* (*)();
  static const auto get = reinterpret_cast<GetApiBase>(
      dlsym(dlopen(STANDIN_ONNXRUNTIME, RTLD_NOW | RTLD_LOCAL), "OrtGetApiBase"));
  return *get();
}

OrtCUDAProviderOptionsV2 options;
std::array<char, 22> cuda{"CUDAExecutionProvider"};
std::array<char, 21> cpu{"CPUExecutionProvider"};
std::array<char*, 2> providers{cuda.data(), cpu.data()};

OrtStatus* GetAvailableProviders(char*** names, int* count) noexcept {
  *names = providers.data();
  *count = static_cast<int>(providers.size());
  return nullptr;
}

OrtStatus* ReleaseAvailableProviders(char** /*names*/, int /*count*/) noexcept { return nullptr; }

OrtStatus* CreateCudaOptions(OrtCUDAProviderOptionsV2** made) noexcept {
  *made = &options;
  return nullptr;
}

OrtStatus* UpdateCudaOptions(OrtCUDAProviderOptionsV2* /*options*/, const char* const* /*keys*/,
                             const char* const* /*values*/, std::size_t /*count*/) noexcept {
  return nullptr;
}

OrtStatus* UpdateCudaOption(OrtCUDAProviderOptionsV2* /*options*/, const char* /*key*/,
                            void* /*value*/) noexcept {
  return nullptr;
}

void ReleaseCudaOptions(OrtCUDAProviderOptionsV2* /*options*/) noexcept {}

OrtStatus* AppendCuda(OrtSessionOptions* /*session*/,
                      const OrtCUDAProviderOptionsV2* /*cuda*/) noexcept {
  return nullptr;
}

OrtStatus* CreateMemoryInfo(const char* name, OrtAllocatorType type, int id, OrtMemType memory,
                            OrtMemoryInfo** made) noexcept {
  const OrtApi& real = *Real().GetApi(kVersion);
  const bool is_of_gpu = std::string_view(name).starts_with("Cuda");
  if (!is_of_gpu) return real.CreateMemoryInfo(name, type, id, memory, made);
  return real.CreateCpuMemoryInfo(type, OrtMemTypeDefault, made);
}

OrtApi WithCuda(const OrtApi& real) {
  OrtApi api = real;
  api.GetAvailableProviders = GetAvailableProviders;
  api.ReleaseAvailableProviders = ReleaseAvailableProviders;
  api.CreateCUDAProviderOptions = CreateCudaOptions;
  api.UpdateCUDAProviderOptions = UpdateCudaOptions;
  api.UpdateCUDAProviderOptionsWithValue = UpdateCudaOption;
  api.ReleaseCUDAProviderOptions = ReleaseCudaOptions;
  api.SessionOptionsAppendExecutionProvider_CUDA_V2 = AppendCuda;
  api.CreateMemoryInfo = CreateMemoryInfo;
  return api;
}

const OrtApi* GetApi(std::uint32_t version) noexcept {
  if (version != kVersion) return Real().GetApi(version);
  static const OrtApi api = WithCuda(*Real().GetApi(version));
  return &api;
}

const char* GetVersion() noexcept { return Real().GetVersionString(); }

}  // namespace

extern "C" const OrtApiBase* OrtGetApiBase() noexcept {
  static const OrtApiBase base{GetApi, GetVersion};
  return &base;
}
