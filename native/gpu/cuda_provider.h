#pragma once

#include "core/cuda_options.h"
#include "core/ort.h"

namespace warmswap {

/// Lets a session run on a GPU. All its runs use `stream`, a stream of the primary context, if that
/// is not null. Throws kFailedPrecondition with what ONNX Runtime says if it cannot: it is built
/// without CUDA, or its provider does not load.
void AddCudaProvider(Ort::SessionOptions& options, const CudaOptions& cuda, void* stream);

}  // namespace warmswap
