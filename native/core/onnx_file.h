#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace warmswap {

/// A part of an external data file. ONNX Runtime maps it as it is.
struct DataBlob {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< 0 in ExternalTensor::data: not given
};

/// One form of a weight that a kernel packed and ONNX Runtime saved, as one blob or several.
struct PackedWeight {
  std::string_view key;  ///< the kernel's operator and a hash of the blobs
  std::vector<DataBlob> blobs;
};

/// A tensor whose elements are in another file. Borrows the bytes of the model file.
struct ExternalTensor {
  std::string_view name;  ///< any bytes; Printable makes it fit for a message
  std::int32_t data_type = 0;
  std::vector<std::int64_t> dims;
  std::string_view location;  ///< as it stands in the model: relative to the model's folder
  DataBlob data;
  std::vector<PackedWeight> packed;
};

struct OnnxContents {
  /// Of the graph and of every graph, node and function in it, in the order of the file.
  std::vector<ExternalTensor> external;
  std::uint64_t inline_bytes = 0;          ///< what all other tensors take in the file
  std::uint64_t inline_half_bytes = 0;     ///< those of them for which IsHalf holds
  std::uint64_t largest_inline_bytes = 0;  ///< the largest of them
  /// A node repeats a part of the graph, so its time goes with values.
  bool has_loops = false;
};

/// Finds the tensors of a serialized ModelProto without copying them: time and memory go with their
/// number, not with their size. Throws kFailedPrecondition for bytes that are no model.
/// What it does not know it leaves to ONNX Runtime; offsets are not checked against anything.
OnnxContents ParseOnnx(std::span<const std::byte> model);

/// One serialized TensorProto; nothing if its elements are in it. Throws as ParseOnnx does.
std::optional<ExternalTensor> ParseExternalTensor(std::string_view tensor);

/// Bytes that the tensor's dimensions and datatype ask for; nothing for a datatype that is not
/// known here. Throws kFailedPrecondition for a negative dimension or a product over 2^63 - 1.
std::optional<std::uint64_t> DeclaredBytes(const ExternalTensor& tensor);

/// Whether a TensorProto.DataType is FLOAT16 or BFLOAT16, which CPUs compute with as FLOAT.
bool IsHalf(std::int32_t data_type) noexcept;

/// Text of a model, which can be of any length and have any bytes, as a message can show it.
std::string Printable(std::string_view text);

}  // namespace warmswap
