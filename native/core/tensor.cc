#include "core/tensor.h"

#include <array>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace warmswap {
namespace {

struct TypeRow {
  DataType type;
  std::string_view name;
  std::size_t size;
  ONNXTensorElementDataType ort;
};

// In the order of DataType.
constexpr std::array<TypeRow, kDataTypeCount> kTypes{{
    {DataType::kBool, "BOOL", 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},
    {DataType::kUint8, "UINT8", 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    {DataType::kUint16, "UINT16", 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16},
    {DataType::kUint32, "UINT32", 4, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32},
    {DataType::kUint64, "UINT64", 8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64},
    {DataType::kInt8, "INT8", 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
    {DataType::kInt16, "INT16", 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16},
    {DataType::kInt32, "INT32", 4, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
    {DataType::kInt64, "INT64", 8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
    {DataType::kFp16, "FP16", 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    {DataType::kBf16, "BF16", 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16},
    {DataType::kFp32, "FP32", 4, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    {DataType::kFp64, "FP64", 8, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
    {DataType::kBytes, "BYTES", 0, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING},
}};

const TypeRow& Row(DataType type) noexcept { return kTypes[static_cast<std::size_t>(type)]; }

std::string Describe(DataType type, std::span<const std::int64_t> shape,
                     std::span<const std::string> symbols = {}) {
  std::string text = std::string(ToString(type)) + " [";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    const bool free = shape[i] < 0 && i < symbols.size();
    text += free ? (symbols[i].empty() ? "?" : symbols[i]) : std::to_string(shape[i]);
  }
  return text + "]";
}

[[noreturn]] void Refuse(const TensorSpec& spec, const TensorView& tensor) {
  throw Error(ErrorCode::kInvalidArgument, "input '" + spec.name + "': expected " +
                                               Describe(spec.type, spec.shape, spec.symbols) +
                                               ", got " + Describe(tensor.type, tensor.shape));
}

[[noreturn]] void RefuseLength(const TensorSpec& spec, const TensorView& tensor,
                               const std::string& expected, const std::string& got) {
  throw Error(ErrorCode::kInvalidArgument, "input '" + spec.name +
                                               "': " + Describe(tensor.type, tensor.shape) +
                                               " needs " + expected + ", got " + got);
}

bool ShapeFits(std::span<const std::int64_t> wanted, std::span<const std::int64_t> got) noexcept {
  if (wanted.size() != got.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] >= 0 && wanted[i] != got[i]) return false;
  }
  return true;
}

/// Bytes of `count` elements of a fixed size; nothing if that overflows.
std::optional<std::size_t> ByteCount(DataType type, std::size_t count) noexcept {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, ElementSize(type), &bytes)) return std::nullopt;
  return bytes;
}

[[noreturn]] void RefuseLength(const TensorSpec& spec, const TensorView& tensor,
                               std::size_t count) {
  if (tensor.type == DataType::kBytes) {
    RefuseLength(spec, tensor, std::to_string(count) + " elements",
                 std::to_string(tensor.strings.size()));
  }
  const std::optional<std::size_t> bytes = ByteCount(tensor.type, count);
  if (!bytes) Refuse(spec, tensor);
  RefuseLength(spec, tensor, std::to_string(*bytes) + " bytes", std::to_string(tensor.data.size()));
}

void FillStrings(Ort::Value& value, std::span<const std::string> strings) {
  for (std::size_t i = 0; i < strings.size(); ++i) {
    // Through the element's buffer, because the plain setter stops at a zero byte.
    char* buffer = value.GetResizedStringTensorElementBuffer(i, strings[i].size());
    std::memcpy(buffer, strings[i].data(), strings[i].size());
  }
}

}  // namespace

std::string_view ToString(DataType type) noexcept { return Row(type).name; }

std::optional<DataType> FromString(std::string_view name) noexcept {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

std::size_t ElementSize(DataType type) noexcept { return Row(type).size; }

std::optional<DataType> FromOrt(ONNXTensorElementDataType type) noexcept {
  for (const TypeRow& row : kTypes) {
    if (row.ort == type) return row.type;
  }
  return std::nullopt;
}

ONNXTensorElementDataType ToOrt(DataType type) noexcept { return Row(type).ort; }

std::optional<std::size_t> ElementCount(std::span<const std::int64_t> shape) noexcept {
  std::int64_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    if (__builtin_mul_overflow(count, dimension, &count)) return std::nullopt;
  }
  return static_cast<std::size_t>(count);
}

bool Fits(const TensorSpec& spec, const TensorView& tensor) noexcept {
  if (tensor.type != spec.type || !ShapeFits(spec.shape, tensor.shape)) return false;
  const std::optional<std::size_t> count = ElementCount(tensor.shape);
  if (!count) return false;
  if (tensor.type == DataType::kBytes) return tensor.strings.size() == *count;
  return ByteCount(tensor.type, *count) == tensor.data.size();
}

void Validate(const TensorSpec& spec, const TensorView& tensor) {
  if (Fits(spec, tensor)) return;
  if (tensor.type != spec.type || !ShapeFits(spec.shape, tensor.shape)) Refuse(spec, tensor);
  const std::optional<std::size_t> count = ElementCount(tensor.shape);
  if (!count) Refuse(spec, tensor);
  RefuseLength(spec, tensor, *count);
}

Ort::Value ToOrtValue(const TensorView& tensor) {
  const Ort::AllocatorWithDefaultOptions allocator;
  Ort::Value value = Ort::Value::CreateTensor(allocator, tensor.shape.data(), tensor.shape.size(),
                                              ToOrt(tensor.type));
  if (tensor.type == DataType::kBytes) {
    FillStrings(value, tensor.strings);
  } else if (!tensor.data.empty()) {
    std::memcpy(value.GetTensorMutableRawData(), tensor.data.data(), tensor.data.size());
  }
  return value;
}

std::vector<std::string> StringElements(const Ort::Value& value) {
  std::vector<std::string> strings(value.GetTensorTypeAndShapeInfo().GetElementCount());
  for (std::size_t i = 0; i < strings.size(); ++i) strings[i] = value.GetStringTensorElement(i);
  return strings;
}

}  // namespace warmswap
