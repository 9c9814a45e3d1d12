#pragma once

#include <cstddef>
#include <cstdint>

#include "core/ort.h"

namespace warmswap {

/// Makes a session that is being created with `options` give up as soon as it can.
using OrtSetLoadCancellationFlag = OrtStatusPtr (*)(OrtSessionOptions* options, bool cancel);

/// SessionOptionsSetLoadCancellationFlag of ONNX Runtime 1.22, which headers of 1.21 do not
/// declare, or null if `base` is of an older library. OrtApi is a table of functions that only ever
/// grows at its end: this one comes ninth after the last that 1.20 added, and 1.21 added none.
inline OrtSetLoadCancellationFlag FindSetLoadCancellationFlag(const OrtApiBase& base) {
  constexpr std::uint32_t kVersion = 22;
  constexpr std::size_t kPlace = offsetof(OrtApi, SetEpDynamicOptions) / sizeof(void (*)()) + 9;
#if ORT_API_VERSION >= 22
  static_assert(offsetof(OrtApi, SessionOptionsSetLoadCancellationFlag) ==
                kPlace * sizeof(void (*)()));
#endif
  const OrtApi* api = base.GetApi(kVersion);
  if (api == nullptr) return nullptr;
  const auto* functions = reinterpret_cast<void (*const*)()>(api);
  return reinterpret_cast<OrtSetLoadCancellationFlag>(functions[kPlace]);
}

}  // namespace warmswap
