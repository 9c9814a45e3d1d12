#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace warmswap::test {

// Serialized ONNX messages, field by field, for tests that need what no exporter writes.

/// A field of bytes, which is what a nested message is.
std::string BytesField(std::uint32_t number, std::string_view bytes);
std::string NumberField(std::uint32_t number, std::uint64_t value);

struct TensorFields {
  std::string name = "W";
  std::int32_t data_type = 1;  ///< FLOAT
  std::vector<std::int64_t> dims{};
  std::vector<std::pair<std::string, std::string>> external_data{};  ///< inline if there is none
  std::string raw_data{};
};
std::string TensorMessage(const TensorFields& fields);
/// An external FLOAT tensor.
std::string ExternalFloats(std::string name, std::vector<std::int64_t> dims, std::string location,
                           std::uint64_t offset);

std::string ModelWithGraph(std::string_view graph);
std::string ModelWithInitializers(const std::vector<std::string>& tensors);
/// x FP32 ["n"] -> y = op(x).
std::string UnaryModel(std::string_view op);
/// x FP32 ["n"] -> y = x + W, where the model file holds W, an FP32 zero `elements` times.
std::string ModelWithInlineWeight(std::size_t elements);

inline std::span<const std::byte> MessageBytes(std::string_view message) {
  return std::as_bytes(std::span(message));
}

}  // namespace warmswap::test
