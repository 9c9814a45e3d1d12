#include "addon/gpu_report.h"

#include <utility>

#include "gpu/cuda_devices.h"

namespace warmswap {
namespace {

std::optional<GpuUse> ReadUse(int index) {
  const std::shared_ptr<CudaDevice> device = CudaDevices::OfProcess().Find(index);
  if (!device) return std::nullopt;
  const PinnedPool& pinned = device->pinned();
  return GpuUse{device->FreeBytes(), device->reserved_bytes(), pinned.pinned_bytes(),
                pinned.misses()};
}

Napi::Object FromUse(Napi::Env env, const GpuUse& use) {
  auto object = Napi::Object::New(env);
  object.Set("freeBytes", static_cast<double>(use.free_bytes));
  object.Set("reservedBytes", static_cast<double>(use.reserved_bytes));
  object.Set("pinnedBytes", static_cast<double>(use.pinned_bytes));
  object.Set("pinnedMisses", static_cast<double>(use.pinned_misses));
  return object;
}

Napi::Object FromEntry(Napi::Env env, const GpuReport::Entry& entry) {
  const auto& [gpu, use] = entry;
  auto object = Napi::Object::New(env);
  object.Set("index", static_cast<double>(gpu.index));
  object.Set("name", gpu.name);
  object.Set("uuid", gpu.uuid);
  object.Set("totalBytes", static_cast<double>(gpu.total_bytes));
  if (use) object.Set("use", FromUse(env, *use));
  return object;
}

}  // namespace

GpuReport ReadGpus(const std::filesystem::path& driver_library) {
  const auto driver = CudaDevices::OfProcess().Driver(driver_library);
  GpuReport report{driver->CudaVersion(), {}};
  for (Gpu& gpu : ListGpus(*driver)) {
    std::optional<GpuUse> use = ReadUse(gpu.index);
    report.gpus.push_back({std::move(gpu), use});
  }
  return report;
}

Napi::Object FromGpuReport(Napi::Env env, const GpuReport& report) {
  auto gpus = Napi::Array::New(env, report.gpus.size());
  for (std::uint32_t i = 0; i < report.gpus.size(); ++i) gpus[i] = FromEntry(env, report.gpus[i]);
  auto object = Napi::Object::New(env);
  object.Set("cudaVersion", report.cuda_version);
  object.Set("gpus", gpus);
  return object;
}

Napi::Object FromCopySpeed(Napi::Env env, const CopySpeed& speed) {
  auto object = Napi::Object::New(env);
  object.Set("toDeviceBytesPerSecond", speed.to_device);
  object.Set("toHostBytesPerSecond", speed.to_host);
  return object;
}

}  // namespace warmswap
