#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ort.h"

namespace warmswap {

/// The Open Inference Protocol's datatypes. The numbers are part of the addon's interface
/// (src/native/binding.ts).
enum class DataType : std::uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFp16,
  kBf16,
  kFp32,
  kFp64,
  kBytes,
};
inline constexpr int kDataTypeCount = 14;

/// The datatype's protocol name, for example "FP32".
std::string_view ToString(DataType type) noexcept;
/// Nothing for a name that is not the protocol's.
std::optional<DataType> FromString(std::string_view name) noexcept;
/// Bytes of one element; 0 for kBytes, whose elements differ in length.
std::size_t ElementSize(DataType type) noexcept;
/// Nothing for element types that the protocol has no name for (complex, 8-bit floats, 4-bit
/// integers).
std::optional<DataType> FromOrt(ONNXTensorElementDataType type) noexcept;
ONNXTensorElementDataType ToOrt(DataType type) noexcept;

/// One input or output of a model. A free dimension has size -1 and perhaps a name in `symbols`
/// (same length as `shape`, "" where there is none).
struct TensorSpec {
  std::string name;
  DataType type;
  std::vector<std::int64_t> shape;
  std::vector<std::string> symbols;
};

/// A tensor as a client sent it. `data` is borrowed: little-endian, row-major, any alignment; empty
/// for kBytes, whose elements are in `strings`.
struct TensorView {
  DataType type;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
  std::vector<std::string> strings;
};

/// Product of the dimensions; nothing if one is negative or the product of the first few does not
/// fit an int64, which ONNX Runtime counts with (even where a later dimension is 0).
std::optional<std::size_t> ElementCount(std::span<const std::int64_t> shape) noexcept;

/// Whether datatype, rank, fixed dimensions and length agree.
bool Fits(const TensorSpec& spec, const TensorView& tensor) noexcept;

/// Throws kInvalidArgument, naming what `spec` wants and what came, unless it Fits.
void Validate(const TensorSpec& spec, const TensorView& tensor);

/// Copies a validated tensor into memory that ONNX Runtime owns and aligns.
Ort::Value ToOrtValue(const TensorView& tensor);

/// The elements of a kBytes tensor that ONNX Runtime made.
std::vector<std::string> StringElements(const Ort::Value& value);

}  // namespace warmswap
