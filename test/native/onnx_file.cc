#include "core/onnx_file.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/mapped_file.h"
#include "core/onnx_schema.h"
#include "onnx_builder.h"
#include "support.h"

namespace warmswap::test {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Error ParseError(std::string_view model) {
  return ErrorOf([&] { ParseOnnx(MessageBytes(model)); });
}

std::string ExternalTensorNamed(const std::string& name) {
  return ExternalFloats(name, {2}, "w.bin", 0);
}

std::string ModelWithExternalData(Entries entries) {
  return ModelWithInitializers({TensorMessage({.dims = {2}, .external_data = std::move(entries)})});
}

std::vector<std::string> NamesOf(const OnnxContents& contents) {
  std::vector<std::string> names;
  for (const ExternalTensor& tensor : contents.external) names.emplace_back(tensor.name);
  return names;
}

ExternalTensor TensorOf(std::int32_t data_type, std::vector<std::int64_t> dims) {
  ExternalTensor tensor;
  tensor.name = "W";
  tensor.data_type = data_type;
  tensor.dims = std::move(dims);
  return tensor;
}

std::uint64_t DeclaredBytesOf(std::int32_t data_type, std::vector<std::int64_t> dims) {
  return DeclaredBytes(TensorOf(data_type, std::move(dims))).value();
}

/// A graph inside `levels` others, each the attribute of a node.
std::string NestedGraph(int levels) {
  std::string graph = BytesField(5, ExternalTensorNamed("innermost"));
  for (int level = 0; level < levels; ++level) {
    graph = BytesField(1, BytesField(5, BytesField(6, graph)));
  }
  return graph;
}

}  // namespace

TEST_CASE("an external tensor comes with its name, shape, datatype and place") {
  const std::string model = ModelWithInitializers({TensorMessage(
      {.name = "weights",
       .data_type = 10,
       .dims = {3, 5},
       .external_data = {
           {"location", "data/w.bin"}, {"offset", "4096"}, {"length", "30"}, {"checksum", "?"}}})});
  const OnnxContents contents = ParseOnnx(MessageBytes(model));
  REQUIRE(contents.external.size() == 1);
  const ExternalTensor& tensor = contents.external[0];
  CHECK(tensor.name == "weights");
  CHECK(tensor.data_type == 10);
  CHECK(tensor.dims == std::vector<std::int64_t>{3, 5});
  CHECK(tensor.location == "data/w.bin");
  CHECK(tensor.data.offset == 4096);
  CHECK(tensor.data.length == 30);
  CHECK(tensor.packed.empty());
  CHECK(contents.inline_bytes == 0);
}

TEST_CASE("offset and length may be left out") {
  const std::string model = ModelWithExternalData({{"location", "w.bin"}});
  const OnnxContents contents = ParseOnnx(MessageBytes(model));
  CHECK(contents.external.at(0).data.offset == 0);
  CHECK(contents.external.at(0).data.length == 0);
}

TEST_CASE("dimensions may be packed into one field") {
  const std::string tensor =
      BytesField(1, std::string("\x03\xAC\x02", 3)) + ExternalTensorNamed("W");
  const std::string model = ModelWithInitializers({tensor});
  const OnnxContents contents = ParseOnnx(MessageBytes(model));
  CHECK(contents.external.at(0).dims == std::vector<std::int64_t>{3, 300, 2});
}

TEST_CASE("packed weights come with their keys and blobs") {
  const std::string model = ModelWithExternalData({{"location", "w.bin"},
                                                   {"prepacked_0", "MatMul+17|64;128;0"},
                                                   {"prepacked_1", "LSTM+4|192;1;0|256;2;0"}});
  const OnnxContents contents = ParseOnnx(MessageBytes(model));
  const std::vector<PackedWeight>& packed = contents.external.at(0).packed;
  REQUIRE(packed.size() == 2);
  CHECK(packed[0].key == "MatMul+17");
  REQUIRE(packed[0].blobs.size() == 1);
  CHECK(packed[0].blobs[0].offset == 64);
  CHECK(packed[0].blobs[0].length == 128);
  CHECK(packed[1].key == "LSTM+4");
  REQUIRE(packed[1].blobs.size() == 2);
  CHECK(packed[1].blobs[1].offset == 256);
  CHECK(packed[1].blobs[1].length == 2);
}

TEST_CASE("external tensors are found wherever a model can have tensors") {
  const auto tensor = [](const char* name) { return ExternalTensorNamed(name); };
  const std::string sparse = BytesField(1, tensor("values")) + BytesField(2, tensor("indices"));
  const std::string attributes =
      BytesField(5, BytesField(5, tensor("attribute"))) +
      BytesField(5, BytesField(10, tensor("one of several"))) +
      BytesField(5, BytesField(22, BytesField(1, tensor("sparse")))) +
      BytesField(5, BytesField(23, BytesField(1, tensor("sparse list"))));
  const std::string inner = BytesField(5, BytesField(6, BytesField(5, tensor("subgraph")))) +
                            BytesField(5, BytesField(11, BytesField(5, tensor("subgraph list"))));
  const std::string graph = BytesField(1, attributes) + BytesField(1, inner) +
                            BytesField(5, tensor("initializer")) + BytesField(15, sparse);
  const std::string function =
      BytesField(7, BytesField(5, BytesField(5, tensor("function node")))) +
      BytesField(11, BytesField(5, tensor("default attribute")));
  const std::string training = BytesField(1, BytesField(5, tensor("initialization"))) +
                               BytesField(2, BytesField(5, tensor("algorithm")));
  const std::string model =
      ModelWithGraph(graph) + BytesField(20, training) + BytesField(25, function);
  CHECK(NamesOf(ParseOnnx(MessageBytes(model))) ==
        std::vector<std::string>{"attribute", "one of several", "sparse", "sparse list", "subgraph",
                                 "subgraph list", "initializer", "values", "indices",
                                 "initialization", "algorithm", "function node",
                                 "default attribute"});
}

TEST_CASE("tensors in the model file are counted, not listed") {
  const std::string tensor = TensorMessage({.dims = {2}, .raw_data = std::string(8, 'w')});
  const std::string model = ModelWithInitializers({tensor, ExternalTensorNamed("W"), tensor});
  const OnnxContents contents = ParseOnnx(MessageBytes(model));
  CHECK(NamesOf(contents) == std::vector<std::string>{"W"});
  CHECK(contents.inline_bytes == 2 * tensor.size());
  CHECK(contents.inline_half_bytes == 0);
  CHECK(contents.largest_inline_bytes == tensor.size());
}

TEST_CASE("tensors of half a float in the model file are counted by themselves") {
  const auto typed = [](std::int32_t data_type, std::size_t bytes) {
    return TensorMessage({.data_type = data_type, .raw_data = std::string(bytes, 'w')});
  };
  const std::string floats = typed(1, 100);
  const std::string float16 = typed(10, 8);
  const std::string bfloat16 = typed(16, 4);
  const std::string model = ModelWithInitializers({float16, floats, bfloat16});
  const OnnxContents contents = ParseOnnx(MessageBytes(model));
  CHECK(contents.inline_half_bytes == float16.size() + bfloat16.size());
  CHECK(contents.largest_inline_bytes == floats.size());
}

TEST_CASE("external data of a tensor that is not external is left alone") {
  const std::string entry = BytesField(13, BytesField(1, "location") + BytesField(2, "../w"));
  const std::string model = ModelWithInitializers({TensorMessage({.raw_data = "w"}) + entry});
  CHECK(ParseOnnx(MessageBytes(model)).external.empty());
}

TEST_CASE("unknown fields are skipped") {
  const std::string unknown = NumberField(1000, 1) + BytesField(1001, "bytes") +
                              std::string(
                                  "\xB9\x3E"
                                  "12345678",
                                  10) +  // 999, eight bytes
                              std::string(
                                  "\xB5\x3E"
                                  "1234",
                                  6);  // 998, four bytes
  const std::string graph = unknown + BytesField(5, unknown + ExternalTensorNamed("W"));
  CHECK(NamesOf(ParseOnnx(MessageBytes(unknown + ModelWithGraph(graph)))) ==
        std::vector<std::string>{"W"});
}

TEST_CASE("every fixture that is a model is read, with the tensors that it has") {
  for (const auto* fixture : {"shift/1", "slow/1", "linear/1", "mixed/1", "map-output/1"}) {
    CAPTURE(fixture);
    const MappedFile file = MappedFile::Open(ModelPath(fixture));
    const std::size_t expected = fixture == std::string("linear/1") ? 2 : 0;
    CHECK(ParseOnnx(file.bytes()).external.size() == expected);
  }
}

TEST_CASE("bad external data is FAILED_PRECONDITION, with the tensor's name") {
  const std::vector<Entries> bad{
      {{"offset", "0"}},
      {{"location", ""}},
      {{"location", "w"}, {"location", "v"}},
      {{"location", "w"}, {"offset", "0"}, {"offset", "1"}},
      {{"location", "w"}, {"length", "0"}, {"length", "1"}},
      {{"location", "w"}, {"offset", "-1"}},
      {{"location", "w"}, {"offset", "+1"}},
      {{"location", "w"}, {"offset", " 1"}},
      {{"location", "w"}, {"offset", "1x"}},
      {{"location", "w"}, {"offset", ""}},
      {{"location", "w"}, {"offset", "9223372036854775808"}},
      {{"location", "w"}, {"length", "99999999999999999999"}},
      {{"location", "w"}, {"basepath", "/"}},
      {{"location", "w"}, {"", ""}},
      {{"location", "w"}, {"prepacked_0", ""}},
      {{"location", "w"}, {"prepacked_0", "key"}},
      {{"location", "w"}, {"prepacked_0", "|0;1;0"}},
      {{"location", "w"}, {"prepacked_0", "key|0"}},
      {{"location", "w"}, {"prepacked_0", "key|0;-1;0"}},
  };
  for (const Entries& entries : bad) {
    CAPTURE(entries.back().first);
    CAPTURE(entries.back().second);
    const Error error = ParseError(ModelWithExternalData(entries));
    CHECK(CodeName(error) == "FAILED_PRECONDITION");
    CHECK(Contains(error.what(), "'W'"));
  }
}

TEST_CASE("what is no protobuf message is FAILED_PRECONDITION") {
  const std::vector<std::string> bad{
      std::string("\x00", 1),      // field 0
      std::string("\x3B", 1),      // field 7 as a group
      std::string("\x3F", 1),      // field 7 of the wire type 7
      std::string("\x38\x01", 2),  // the graph as a number
      std::string("\x3A\x05"
                  "1234",
                  6),  // a graph that is longer than the file
      std::string("\x3A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11),
      std::string("\x3A", 1),
      std::string("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11),  // a varint of 11 bytes
      std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 10),      // of more than 64 bits
      std::string("\xF8\xFF\xFF\xFF\xFF\x01\x00", 7),                   // a field over 2^29
      std::string("\x09"
                  "1234567",
                  8),  // seven of eight bytes
      std::string("\x0D"
                  "123",
                  4),  // three of four bytes
  };
  for (const std::string& model : bad) {
    CAPTURE(model.size());
    CHECK(CodeName(ParseError(model)) == "FAILED_PRECONDITION");
  }
}

TEST_CASE("fields of a tensor with the wrong type are FAILED_PRECONDITION") {
  for (const std::string& field :
       {BytesField(2, "1"), NumberField(8, 1), NumberField(13, 1), BytesField(14, "1"),
        BytesField(13, NumberField(1, 1)), BytesField(13, BytesField(1, "x") + NumberField(2, 1)),
        BytesField(1, "\x80")}) {
    const std::string model = ModelWithInitializers({field + ExternalTensorNamed("W")});
    CHECK(CodeName(ParseError(model)) == "FAILED_PRECONDITION");
  }
}

TEST_CASE("a message that comes twice where one is allowed is FAILED_PRECONDITION") {
  CHECK(CodeName(ParseError(ModelWithGraph("") + ModelWithGraph(""))) == "FAILED_PRECONDITION");
  const std::string tensor = BytesField(5, ExternalTensorNamed("W"));
  const std::string node = BytesField(1, BytesField(5, tensor + tensor));
  CHECK(CodeName(ParseError(ModelWithGraph(node))) == "FAILED_PRECONDITION");
}

TEST_CASE("a model cut off anywhere is read or refused, nothing else") {
  const std::string model = ModelWithGraph(NestedGraph(3) + BytesField(5, TensorMessage({})));
  for (std::size_t length = 0; length < model.size(); ++length) {
    const std::string part = model.substr(0, length);  // its own memory, for AddressSanitizer
    try {
      const std::size_t found = ParseOnnx(MessageBytes(part)).external.size();
      CHECK(found <= 1);
    } catch (const Error& error) {
      CHECK(CodeName(error) == "FAILED_PRECONDITION");
    }
  }
}

TEST_CASE("graphs may be nested as deep as protobuf reads them, and no deeper") {
  // Model, graph and tensor, and three messages a level.
  const int deepest = (kMaxOnnxDepth - 3) / 3;
  CHECK(NamesOf(ParseOnnx(MessageBytes(ModelWithGraph(NestedGraph(deepest))))) ==
        std::vector<std::string>{"innermost"});
  const Error error = ParseError(ModelWithGraph(NestedGraph(deepest + 1)));
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), "100"));
}

TEST_CASE("what a small file could blow up is bounded") {
  const std::string dims = BytesField(1, std::string(65, '\1'));
  CHECK(Contains(ParseError(ModelWithInitializers({dims + ExternalTensorNamed("W")})).what(),
                 "64 dimensions"));
  std::string packed = "key";
  for (int i = 0; i < 257; ++i) packed += "|0;1;0";
  CHECK(Contains(
      ParseError(ModelWithExternalData({{"location", "w"}, {"prepacked_0", packed}})).what(),
      "too many"));
  Entries entries{{"location", "w"}};
  for (int i = 0; i < 257; ++i) entries.emplace_back("checksum", "");
  CHECK(Contains(ParseError(ModelWithExternalData(entries)).what(), "too many"));
}

TEST_CASE("shape and datatype tell the bytes of a tensor, 4 bits and less packed") {
  CHECK(DeclaredBytesOf(1, {3, 5}) == 60);
  CHECK(DeclaredBytesOf(1, {}) == 4);
  CHECK(DeclaredBytesOf(1, {3, 0, 5}) == 0);
  CHECK(DeclaredBytesOf(10, {3}) == 6);
  CHECK(DeclaredBytesOf(16, {3}) == 6);
  CHECK(DeclaredBytesOf(11, {3}) == 24);
  CHECK(DeclaredBytesOf(15, {3}) == 48);
  CHECK(DeclaredBytesOf(9, {3}) == 3);
  CHECK(DeclaredBytesOf(20, {3}) == 3);
  CHECK(DeclaredBytesOf(21, {3}) == 2);
  CHECK(DeclaredBytesOf(22, {4}) == 2);
  CHECK(DeclaredBytesOf(23, {1}) == 1);
  CHECK(DeclaredBytesOf(25, {5}) == 2);
  for (const std::int32_t unknown : {0, 8, 27, -1, std::numeric_limits<std::int32_t>::max()}) {
    CHECK_FALSE(DeclaredBytes(TensorOf(unknown, {-1})).has_value());
  }
}

TEST_CASE("a shape without a size is FAILED_PRECONDITION, with the tensor's name") {
  constexpr std::int64_t kHuge = std::int64_t{1} << 32U;
  for (const std::vector<std::int64_t>& dims :
       {std::vector<std::int64_t>{2, -1}, {kHuge, kHuge}, {kHuge, kHuge, 0}, {kHuge, kHuge / 32}}) {
    const Error error = ErrorOf([&] { DeclaredBytesOf(1, dims); });
    CHECK(CodeName(error) == "FAILED_PRECONDITION");
    CHECK(Contains(error.what(), "'W'"));
  }
}

TEST_CASE("text of a model is shown without control characters and cut") {
  CHECK(Printable("a\nb\x7F\x1B[0m zwölf") == "a?b??[0m zwölf");
  CHECK(Printable(std::string(200, 'x')) == std::string(200, 'x'));
  CHECK(Printable(std::string(100'000, 'x')) == std::string(200, 'x') + "…");
}

}  // namespace warmswap::test
