#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace warmswap {

/// A MessagePack-RPC request of the method `infer` (DESIGN §7). Borrows from the frame.
struct InferFrame {
  struct Input {
    std::string_view name;
    TensorView tensor;
  };
  std::uint32_t msgid = 0;
  std::string_view model;
  std::optional<std::int64_t> version;
  std::optional<std::string_view> label;
  std::vector<Input> inputs;
  std::vector<std::string_view> outputs;  ///< none: all
  std::optional<double> deadline_ms;      ///< above 0
  std::optional<std::size_t> priority;
};

/// Nothing for everything but a plain, well-formed request whose tensors have elements of a fixed
/// size: whoever asks gives such a frame to the complete codec (src/rpc), which knows what is wrong
/// with it, if anything is. Names are not checked for UTF-8: compare them with known ones. Integers
/// that are written as floats are not plain.
std::optional<InferFrame> ParseInferFrame(std::span<const std::byte> frame);

/// The same, false for nothing. Reads into `frame`, whose memory it uses again; what was in it, and
/// what is left in it where this is false, does not matter.
bool ReadInferFrame(std::span<const std::byte> bytes, InferFrame& frame);

}  // namespace warmswap
