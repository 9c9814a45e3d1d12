#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "addon/napi.h"
#include "core/cuda_options.h"
#include "core/model.h"
#include "gpu/shared_weights.h"

namespace warmswap {

/// What a model's options say of the GPU that it is to run on.
struct CudaOrder {
  std::filesystem::path driver_library;
  CudaOptions options;
  std::uint64_t reserve_bytes = 0;  ///< 0 for an estimate
  std::optional<SlabReference> weights = std::nullopt;
};

/// `{ deviceId }`, and perhaps `memoryLimitBytes`, `arenaExtend`, `convAlgorithmSearch`, `tf32`,
/// `graphs`, `binding`, `loader`, `shrinkArena`, `reserveBytes`, `driverLibrary` and `weights`;
/// nothing for undefined. Throws kInvalidArgument.
std::optional<CudaOrder> ToCudaOrder(const Napi::Value& value);

/// The number of a GPU.
int ToDeviceId(const Napi::Value& value);

/// A path, or the system's driver library for undefined.
std::filesystem::path ToDriverLibrary(const Napi::Value& value);

/// Completes the options of a model that is to run on a GPU: opens that, and the
/// weights that are shared, which may take seconds. Throws as ValidateForDevice, which comes first,
/// CudaDevices::Open, WeightPlan and OpenSharedWeights.
void UseGpu(ModelOptions& options, const CudaOrder& order, const OrtLibrary& library);

}  // namespace warmswap
