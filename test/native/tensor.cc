#include "core/tensor.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "support.h"

namespace warmswap::test {
namespace {

using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kMaxDimension = std::numeric_limits<std::int64_t>::max();

const TensorSpec kSpec{"x", DataType::kFp32, {-1, 4}, {"n", ""}};

/// A tensor of `size` zero bytes.
class Zeros {
 public:
  explicit Zeros(std::size_t size) : bytes_(size) {}
  TensorView View(DataType type, Shape shape) const { return {type, std::move(shape), bytes_, {}}; }

 private:
  std::vector<std::byte> bytes_;
};

std::string Refusal(const TensorSpec& spec, const TensorView& tensor) {
  const Error error = ErrorOf([&] { Validate(spec, tensor); });
  CHECK(CodeName(error) == "INVALID_ARGUMENT");
  return error.what();
}

}  // namespace

TEST_CASE("datatypes have the protocol's names and sizes") {
  struct Expected {
    DataType type;
    std::string name;
    std::size_t size;
  };
  const std::vector<Expected> all{
      {DataType::kBool, "BOOL", 1},     {DataType::kUint8, "UINT8", 1},
      {DataType::kUint16, "UINT16", 2}, {DataType::kUint32, "UINT32", 4},
      {DataType::kUint64, "UINT64", 8}, {DataType::kInt8, "INT8", 1},
      {DataType::kInt16, "INT16", 2},   {DataType::kInt32, "INT32", 4},
      {DataType::kInt64, "INT64", 8},   {DataType::kFp16, "FP16", 2},
      {DataType::kBf16, "BF16", 2},     {DataType::kFp32, "FP32", 4},
      {DataType::kFp64, "FP64", 8},     {DataType::kBytes, "BYTES", 0},
  };
  REQUIRE(all.size() == kDataTypeCount);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(static_cast<std::size_t>(all[i].type) == i);
    CHECK(ToString(all[i].type) == all[i].name);
    CHECK(ElementSize(all[i].type) == all[i].size);
  }
}

TEST_CASE("every datatype has one of ONNX Runtime's, and comes back from it") {
  std::set<ONNXTensorElementDataType> seen;
  for (int i = 0; i < kDataTypeCount; ++i) {
    const auto type = static_cast<DataType>(i);
    CHECK(FromOrt(ToOrt(type)) == type);
    seen.insert(ToOrt(type));
  }
  CHECK(seen.size() == kDataTypeCount);
}

TEST_CASE("element types that the protocol has no name for have no datatype") {
  for (const auto type :
       {ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED, ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64,
        ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN,
        ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT4,
        ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4}) {
    CHECK_FALSE(FromOrt(type).has_value());
  }
}

TEST_CASE("the number of elements is the product of the dimensions") {
  CHECK(ElementCount(Shape{}) == 1);
  CHECK(ElementCount(Shape{7}) == 7);
  CHECK(ElementCount(Shape{2, 3, 4}) == 24);
  CHECK(ElementCount(Shape{2, 0, 4}) == 0);
}

TEST_CASE("shapes with a negative dimension or too many elements have no number of elements") {
  CHECK_FALSE(ElementCount(Shape{-1}).has_value());
  CHECK_FALSE(ElementCount(Shape{0, -1}).has_value());
  CHECK_FALSE(ElementCount(Shape{std::numeric_limits<std::int64_t>::min()}).has_value());
  CHECK_FALSE(ElementCount(Shape{kMaxDimension, 3}).has_value());
  CHECK_FALSE(ElementCount(Shape{1LL << 32, 1LL << 32}).has_value());
}

TEST_CASE("a tensor that fits is valid") {
  CHECK_NOTHROW(Validate(kSpec, Zeros(16).View(DataType::kFp32, {1, 4})));
  CHECK_NOTHROW(Validate(kSpec, Zeros(48).View(DataType::kFp32, {3, 4})));
  CHECK_NOTHROW(Validate(kSpec, Zeros(0).View(DataType::kFp32, {0, 4})));
  CHECK_NOTHROW(Validate({"s", DataType::kBool, {}, {}}, Zeros(1).View(DataType::kBool, {})));
}

TEST_CASE("another datatype is refused with what was expected and what came") {
  CHECK(Refusal(kSpec, Zeros(32).View(DataType::kFp64, {1, 4})) ==
        "input 'x': expected FP32 [n, 4], got FP64 [1, 4]");
}

TEST_CASE("another rank is refused with what was expected and what came") {
  CHECK(Refusal(kSpec, Zeros(16).View(DataType::kFp32, {4})) ==
        "input 'x': expected FP32 [n, 4], got FP32 [4]");
  CHECK(Refusal(kSpec, Zeros(4).View(DataType::kFp32, {})) ==
        "input 'x': expected FP32 [n, 4], got FP32 []");
  CHECK(Refusal(kSpec, Zeros(16).View(DataType::kFp32, {1, 4, 1})) ==
        "input 'x': expected FP32 [n, 4], got FP32 [1, 4, 1]");
}

TEST_CASE("another fixed dimension is refused with what was expected and what came") {
  CHECK(Refusal(kSpec, Zeros(20).View(DataType::kFp32, {1, 5})) ==
        "input 'x': expected FP32 [n, 4], got FP32 [1, 5]");
}

TEST_CASE("a free dimension without a name is shown as a question mark") {
  const TensorSpec spec{"ids", DataType::kInt64, {-1, 2}, {"", ""}};
  CHECK(Refusal(spec, Zeros(8).View(DataType::kInt64, {1})) ==
        "input 'ids': expected INT64 [?, 2], got INT64 [1]");
}

TEST_CASE("data of another length is refused with the number of bytes") {
  CHECK(Refusal(kSpec, Zeros(15).View(DataType::kFp32, {1, 4})) ==
        "input 'x': FP32 [1, 4] needs 16 bytes, got 15");
  CHECK(Refusal(kSpec, Zeros(17).View(DataType::kFp32, {1, 4})) ==
        "input 'x': FP32 [1, 4] needs 16 bytes, got 17");
  CHECK(Refusal(kSpec, Zeros(4).View(DataType::kFp32, {0, 4})) ==
        "input 'x': FP32 [0, 4] needs 0 bytes, got 4");
}

TEST_CASE("another number of strings is refused with the number of elements") {
  const TensorSpec spec{"s", DataType::kBytes, {-1}, {"n"}};
  CHECK(Refusal(spec, {DataType::kBytes, {2}, {}, {"one"}}) ==
        "input 's': BYTES [2] needs 2 elements, got 1");
  CHECK_NOTHROW(Validate(spec, {DataType::kBytes, {1}, {}, {"one"}}));
}

TEST_CASE("a negative dimension is refused even where the model leaves it free") {
  CHECK(Refusal(kSpec, Zeros(0).View(DataType::kFp32, {-1, 4})) ==
        "input 'x': expected FP32 [n, 4], got FP32 [-1, 4]");
}

TEST_CASE("dimensions whose product overflows are refused") {
  const TensorSpec cube{"c", DataType::kFp32, {-1, -1, -1}, {"", "", ""}};
  CHECK(Refusal(cube, Zeros(0).View(DataType::kFp32, {1LL << 32, 1LL << 32, 1})) ==
        "input 'c': expected FP32 [?, ?, ?], got FP32 [4294967296, 4294967296, 1]");
  // As many elements as fit, whose bytes do not.
  CHECK(Refusal(cube, Zeros(0).View(DataType::kFp32, {1LL << 62, 1, 1})) ==
        "input 'c': expected FP32 [?, ?, ?], got FP32 [4611686018427387904, 1, 1]");
}

TEST_CASE("a valid tensor without elements can be made, however big its other dimensions are") {
  Library();
  const TensorSpec cube{"c", DataType::kUint8, {-1, -1, -1}, {"", "", ""}};
  for (const Shape& shape : {Shape{0, 3, 4}, Shape{kMaxDimension, 0, 1}, Shape{1LL << 53, 1000, 0},
                             Shape{1LL << 40, 1LL << 23, 0}, Shape{0, 1LL << 62, 2}}) {
    const TensorView tensor{DataType::kUint8, shape, {}, {}};
    try {
      Validate(cube, tensor);
    } catch (const Error&) {
      continue;  // refused: fine as well
    }
    CHECK_NOTHROW(ToOrtValue(tensor));
  }
}

TEST_CASE("data at any alignment is copied into aligned memory") {
  Library();
  std::array<std::byte, 17> unaligned{};
  const std::array<double, 2> values{0.1, -2.5};
  std::memcpy(unaligned.data() + 1, values.data(), sizeof(values));
  const std::span<const std::byte> data(unaligned.data() + 1, sizeof(values));

  const Ort::Value value = ToOrtValue({DataType::kFp64, {2}, data, {}});
  unaligned.fill(std::byte{0xFF});

  CHECK(Elements<double>(value) == std::vector<double>{0.1, -2.5});
  CHECK(reinterpret_cast<std::uintptr_t>(value.GetTensorRawData()) % alignof(double) == 0);
  CHECK(value.GetTensorTypeAndShapeInfo().GetShape() == Shape{2});
}

TEST_CASE("strings with zero bytes go into ONNX Runtime and come back") {
  Library();
  const std::vector<std::string> strings{"", std::string("a\0b", 3), std::string(2, '\0'), "zwölf",
                                         std::string(5000, 'x')};
  const Ort::Value value = ToOrtValue({DataType::kBytes, {5, 1}, {}, strings});
  CHECK(StringElements(value) == strings);
  CHECK(value.GetTensorTypeAndShapeInfo().GetShape() == Shape{5, 1});
  CHECK(StringElements(ToOrtValue({DataType::kBytes, {0}, {}, {}})).empty());
}

}  // namespace warmswap::test
