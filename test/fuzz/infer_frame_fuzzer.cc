#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "core/infer_frame.h"

// Reads any bytes as the frame of a request. Whatever it makes of them lies inside them.

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

template <typename Part>
void RequireInside(std::span<const std::byte> frame, const Part& part) {
  const auto* begin = reinterpret_cast<const std::byte*>(part.data());
  Require(part.size() == 0 ||
          (begin >= frame.data() && begin + part.size() <= frame.data() + frame.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto frame = warmswap::ParseInferFrame(bytes);
  if (!frame) return 0;
  RequireInside(bytes, frame->model);
  Require(!frame->model.empty() && !(frame->version && frame->label));
  Require(!frame->version || *frame->version > 0);
  Require(!frame->deadline_ms || *frame->deadline_ms > 0);
  for (const auto& output : frame->outputs) RequireInside(bytes, output);
  for (const auto& input : frame->inputs) {
    RequireInside(bytes, input.name);
    RequireInside(bytes, input.tensor.data);
    for (const std::int64_t dimension : input.tensor.shape) Require(dimension >= 0);
  }
  return 0;
}
