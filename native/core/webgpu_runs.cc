#include "core/webgpu_runs.h"

#include <string>

#include "core/error.h"

namespace warmswap {
namespace {

/// What WebGPU reports ends with empty lines.
std::string WithoutLastLines(std::string text) {
  text.erase(text.find_last_not_of(" \n") + 1);
  return text;
}

}  // namespace

std::mutex& WebGpuMutex() noexcept {
  static std::mutex mutex;
  return mutex;
}

void AddWebGpuProvider(Ort::SessionOptions& options) {
  try {
    options.AppendExecutionProvider("WebGPU");
  } catch (const Ort::Exception& error) {
    throw Error(ErrorCode::kFailedPrecondition,
                "this ONNX Runtime cannot use WebGPU: " + WithoutLastLines(error.what()));
  }
}

}  // namespace warmswap
