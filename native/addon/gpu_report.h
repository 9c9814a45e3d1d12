#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "addon/napi.h"
#include "gpu/copy_speed.h"
#include "gpu/gpu_list.h"

namespace warmswap {

/// What this process does with a GPU that it has opened.
struct GpuUse {
  std::uint64_t free_bytes = 0;
  std::uint64_t reserved_bytes = 0;
  std::uint64_t pinned_bytes = 0;
  std::uint64_t pinned_misses = 0;
};

struct GpuReport {
  struct Entry {
    Gpu gpu;
    std::optional<GpuUse> use;
  };
  std::string cuda_version;
  std::vector<Entry> gpus;
};

/// Asks the driver, which may take seconds the first time. Throws as CudaDevices::Driver.
GpuReport ReadGpus(const std::filesystem::path& driver_library);

/// `{ cudaVersion, gpus: [{ index, name, uuid, totalBytes, use: { freeBytes, reservedBytes,
/// pinnedBytes, pinnedMisses } }] }`; `use` only of those in use.
Napi::Object FromGpuReport(Napi::Env env, const GpuReport& report);

/// `{ toDeviceBytesPerSecond, toHostBytesPerSecond }`
Napi::Object FromCopySpeed(Napi::Env env, const CopySpeed& speed);

}  // namespace warmswap
