#include "addon/weight_sharing.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "addon/from_js.h"
#include "core/error.h"
#include "gpu/cuda_devices.h"

namespace warmswap {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::string ToHex(const cuda::IpcMemoryHandle& handle) {
  std::string text;
  for (const unsigned char byte : handle.bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

[[noreturn]] void RefuseHandle() {
  throw Error(ErrorCode::kInvalidArgument, "handle must be 128 hexadecimal digits");
}

unsigned DigitAt(std::string_view text, std::size_t index) {
  const std::size_t value = kDigits.find(text[index]);
  if (value == std::string_view::npos) RefuseHandle();
  return static_cast<unsigned>(value);
}

cuda::IpcMemoryHandle FromHex(std::string_view text) {
  cuda::IpcMemoryHandle handle{};
  if (text.size() != 2 * sizeof(handle.bytes)) RefuseHandle();
  std::size_t index = 0;
  for (unsigned char& byte : handle.bytes) {
    byte = static_cast<unsigned char>(DigitAt(text, index) << 4U | DigitAt(text, index + 1));
    index += 2;
  }
  return handle;
}

}  // namespace

SlabReference Slabs::Add(const std::filesystem::path& model_path, int gpu,
                         const std::filesystem::path& driver_library, MemoryPool& fallback) {
  const WeightPlan plan(model_path);
  const auto device = CudaDevices::OfProcess().Open(driver_library, gpu, fallback);
  const auto reserved = device->Reserve(plan.size());
  auto slab = std::make_unique<const WeightsSlab>(device->context(), plan);
  const SlabReference reference{slab->handle(), slab->size()};
  // Otherwise a slab would go at once that others are told of.
  const bool is_new = slabs_.emplace(ToHex(reference.handle), std::move(slab)).second;
  if (is_new) return reference;
  throw Error(ErrorCode::kInternal, "the driver gave two shared weights one handle");
}

void Slabs::Remove(const std::string& handle) {
  if (slabs_.erase(handle) > 0) return;
  throw Error(ErrorCode::kNotFound, "there are no shared weights " + handle);
}

Napi::Object FromSlab(Napi::Env env, const SlabReference& slab) {
  auto object = Napi::Object::New(env);
  object.Set("handle", ToHex(slab.handle));
  object.Set("bytes", static_cast<double>(slab.size));
  return object;
}

SlabReference ToSlab(const Napi::Value& value) {
  if (!value.IsObject()) throw Error(ErrorCode::kInvalidArgument, "weights must be an object");
  const auto object = value.As<Napi::Object>();
  return {FromHex(ToText(object.Get("handle"), "handle")),
          static_cast<std::uint64_t>(ToInteger(object.Get("bytes"), "bytes"))};
}

}  // namespace warmswap
