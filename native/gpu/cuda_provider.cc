#include "gpu/cuda_provider.h"

#include <memory>
#include <vector>

#include "core/error.h"

namespace warmswap {
namespace {

struct Release {
  void operator()(OrtCUDAProviderOptionsV2* options) const noexcept {
    Ort::GetApi().ReleaseCUDAProviderOptions(options);
  }
};
using Options = std::unique_ptr<OrtCUDAProviderOptionsV2, Release>;

Options CreateOptions() {
  OrtCUDAProviderOptionsV2* created = nullptr;
  Ort::ThrowOnError(Ort::GetApi().CreateCUDAProviderOptions(&created));
  return Options(created);
}

void Update(OrtCUDAProviderOptionsV2& options, const CudaOptions& cuda) {
  const std::vector<ProviderOption> provider = ToProviderOptions(cuda);
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : provider) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  Ort::ThrowOnError(
      Ort::GetApi().UpdateCUDAProviderOptions(&options, keys.data(), values.data(), keys.size()));
}

void UseStream(OrtCUDAProviderOptionsV2& options, void* stream) {
  Ort::ThrowOnError(
      Ort::GetApi().UpdateCUDAProviderOptionsWithValue(&options, "user_compute_stream", stream));
}

}  // namespace

void AddCudaProvider(Ort::SessionOptions& options, const CudaOptions& cuda, void* stream) {
  try {
    const Options provider = CreateOptions();
    Update(*provider, cuda);
    if (stream != nullptr) UseStream(*provider, stream);
    options.AppendExecutionProvider_CUDA_V2(*provider);
  } catch (const Ort::Exception& error) {
    throw Error(ErrorCode::kFailedPrecondition,
                "this ONNX Runtime cannot use CUDA: " + std::string(error.what()));
  }
}

}  // namespace warmswap
