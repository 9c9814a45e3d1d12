#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "addon/napi.h"
#include "core/memory_pool.h"
#include "gpu/shared_weights.h"
#include "gpu/weights_slab.h"

namespace warmswap {

/// The slabs that this process has made, by their handles. For the loader thread.
class Slabs {
 public:
  /// Makes a slab of the model's weights. Throws as WeightPlan, CudaDevices::Open,
  /// CudaDevice::Reserve and WeightsSlab do.
  SlabReference Add(const std::filesystem::path& model_path, int gpu,
                    const std::filesystem::path& driver_library, MemoryPool& fallback);
  /// Frees one, which no process may have open. Throws kNotFound.
  void Remove(const std::string& handle);

 private:
  std::map<std::string, std::unique_ptr<const WeightsSlab>> slabs_;
};

/// `{ handle, bytes }`, the handle in hexadecimal.
Napi::Object FromSlab(Napi::Env env, const SlabReference& slab);
/// Throws kInvalidArgument.
SlabReference ToSlab(const Napi::Value& value);

}  // namespace warmswap
