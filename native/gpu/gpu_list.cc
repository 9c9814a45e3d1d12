#include "gpu/gpu_list.h"

#include <array>

namespace warmswap {
namespace {

std::string ToText(const cuda::Uuid& uuid) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "GPU-";
  for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[uuid.bytes[i] >> 4U];
    text += kDigits[uuid.bytes[i] & 0xFU];
  }
  return text;
}

Gpu Describe(const CudaDriver& driver, int index) {
  const cuda::Functions& functions = driver.functions();
  const cuda::DeviceHandle device = driver.GetGpu(index);
  std::array<char, 256> name{};
  driver.Check(functions.DeviceGetName(name.data(), name.size() - 1, device), "cuDeviceGetName");
  cuda::Uuid uuid{};
  driver.Check(functions.DeviceGetUuid(&uuid, device), "cuDeviceGetUuid");
  std::size_t bytes = 0;
  driver.Check(functions.DeviceTotalMem(&bytes, device), "cuDeviceTotalMem");
  return {index, name.data(), ToText(uuid), bytes};
}

}  // namespace

std::vector<Gpu> ListGpus(const CudaDriver& driver) {
  std::vector<Gpu> gpus;
  const int count = driver.CountGpus();
  gpus.reserve(static_cast<std::size_t>(count));
  for (int index = 0; index < count; ++index) gpus.push_back(Describe(driver, index));
  return gpus;
}

}  // namespace warmswap
