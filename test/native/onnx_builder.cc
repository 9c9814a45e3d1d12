#include "onnx_builder.h"

#include "core/protobuf.h"

namespace warmswap::test {
namespace {

std::string Varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>((value & 0x7FU) | 0x80U);
  return bytes + static_cast<char>(value);
}

// ValueInfoProto of FP32 ["n"].
std::string FloatVector(std::string_view name) {
  const std::string shape = BytesField(1, BytesField(2, "n"));
  const std::string tensor_type = NumberField(1, 1) + BytesField(2, shape);
  return BytesField(1, name) + BytesField(2, BytesField(1, tensor_type));
}

}  // namespace

std::string BytesField(std::uint32_t number, std::string_view bytes) {
  std::string field;
  AppendBytes(field, number, bytes);
  return field;
}

std::string NumberField(std::uint32_t number, std::uint64_t value) {
  return Varint(std::uint64_t{number} << 3U) + Varint(value);
}

std::string TensorMessage(const TensorFields& fields) {
  std::string message;
  for (const std::int64_t dim : fields.dims) {
    message += NumberField(1, static_cast<std::uint64_t>(dim));
  }
  message += NumberField(2, static_cast<std::uint64_t>(std::int64_t{fields.data_type}));
  message += BytesField(8, fields.name);
  if (!fields.raw_data.empty()) message += BytesField(9, fields.raw_data);
  for (const auto& [key, value] : fields.external_data) {
    message += BytesField(13, BytesField(1, key) + BytesField(2, value));
  }
  if (!fields.external_data.empty()) message += NumberField(14, 1);
  return message;
}

std::string ExternalFloats(std::string name, std::vector<std::int64_t> dims, std::string location,
                           std::uint64_t offset) {
  std::int64_t bytes = 4;
  for (const std::int64_t dim : dims) bytes *= dim;
  TensorFields fields;
  fields.name = std::move(name);
  fields.dims = std::move(dims);
  fields.external_data = {{"location", std::move(location)},
                          {"offset", std::to_string(offset)},
                          {"length", std::to_string(bytes)}};
  return TensorMessage(fields);
}

std::string ModelWithGraph(std::string_view graph) {
  const std::string opset = BytesField(1, "") + NumberField(2, 17);
  return NumberField(1, 10) + BytesField(7, graph) + BytesField(8, opset);
}

std::string ModelWithInitializers(const std::vector<std::string>& tensors) {
  std::string graph = BytesField(2, "graph");
  for (const std::string& tensor : tensors) graph += BytesField(5, tensor);
  return ModelWithGraph(graph);
}

std::string UnaryModel(std::string_view op) {
  const std::string node = BytesField(1, "x") + BytesField(2, "y") + BytesField(4, op);
  return ModelWithGraph(BytesField(1, node) + BytesField(2, "unary") +
                        BytesField(11, FloatVector("x")) + BytesField(12, FloatVector("y")));
}

std::string ModelWithInlineWeight(std::size_t elements) {
  const std::string node =
      BytesField(1, "x") + BytesField(1, "W") + BytesField(2, "y") + BytesField(4, "Add");
  const std::string weight = TensorMessage(
      {.dims = {static_cast<std::int64_t>(elements)}, .raw_data = std::string(4 * elements, '\0')});
  return ModelWithGraph(BytesField(1, node) + BytesField(2, "weight") + BytesField(5, weight) +
                        BytesField(11, FloatVector("x")) + BytesField(12, FloatVector("y")));
}

}  // namespace warmswap::test
