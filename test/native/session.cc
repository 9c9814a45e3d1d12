#include "core/session.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "support.h"

namespace warmswap::test {
namespace {

using Shape = std::vector<std::int64_t>;
using RawBytes = std::vector<std::uint8_t>;

Session LoadFixture(std::string_view fixture) { return {Library(), ModelPath(fixture), {}}; }

Error LoadError(const std::filesystem::path& path) {
  return ErrorOf([&] { const Session session(Library(), path, {}); });
}

std::vector<Ort::Value> InputsOf(const Request& request) {
  std::vector<Ort::Value> values;
  for (const InputTensor& input : request.inputs) {
    values.push_back(
        ToOrtValue({input.type, input.shape, {input.data.data(), input.data.size()}, {}}));
  }
  return values;
}

std::vector<Ort::Value> Run(Session& session, std::vector<Ort::Value> inputs,
                            const std::vector<std::size_t>& outputs) {
  Ort::RunOptions options;
  return session.Run(options, inputs, outputs);
}

/// Fails the test unless running throws; gives the code that a client would get.
Error RunError(Session& session, std::vector<Ort::Value> inputs,
               const std::vector<std::size_t>& outputs = {0}) {
  return ErrorOf([&] {
    try {
      Run(session, std::move(inputs), outputs);
    } catch (...) {
      throw CurrentExceptionAsError();
    }
  });
}

/// Three elements: all bits zero, all bits one, and different bytes.
RawBytes ThreeElements(DataType type) {
  if (type == DataType::kBool) return {0, 1, 1};
  const std::size_t size = ElementSize(type);
  RawBytes bytes(size, 0x00);
  bytes.insert(bytes.end(), size, 0xFF);
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(0x11 * (i + 1)));
  return bytes;
}

}  // namespace

TEST_CASE("every datatype goes through a session bit by bit") {
  const std::vector<std::pair<std::string, DataType>> types{
      {"bool", DataType::kBool},     {"uint8", DataType::kUint8},   {"uint16", DataType::kUint16},
      {"uint32", DataType::kUint32}, {"uint64", DataType::kUint64}, {"int8", DataType::kInt8},
      {"int16", DataType::kInt16},   {"int32", DataType::kInt32},   {"int64", DataType::kInt64},
      {"fp16", DataType::kFp16},     {"bf16", DataType::kBf16},     {"fp32", DataType::kFp32},
      {"fp64", DataType::kFp64},
  };
  REQUIRE(types.size() == kDataTypeCount - 1);
  for (const auto& [name, type] : types) {
    CAPTURE(name);
    Session session = LoadFixture("identity-" + name + "/1");
    REQUIRE(session.inputs().size() == 1);
    CHECK(session.inputs()[0].type == type);
    CHECK(session.outputs()[0].type == type);

    const RawBytes bytes = ThreeElements(type);
    const auto outputs = Run(session, One(MakeTensor(type, bytes, {3})), {0});
    REQUIRE(outputs.size() == 1);
    CHECK(FromOrt(outputs[0].GetTensorTypeAndShapeInfo().GetElementType()) == type);
    CHECK(ShapeOf(outputs[0]) == Shape{3});
    const auto* data = static_cast<const std::uint8_t*>(outputs[0].GetTensorRawData());
    CHECK(RawBytes(data, data + bytes.size()) == bytes);
  }
}

TEST_CASE("strings with zero bytes go through a session") {
  Session session = LoadFixture("identity-bytes/1");
  CHECK(session.inputs()[0].type == DataType::kBytes);
  const std::vector<std::string> strings{"", std::string("a\0b", 3), std::string(1, '\0'), "zwölf"};
  const auto outputs = Run(session, One(ToOrtValue({DataType::kBytes, {4}, {}, strings})), {0});
  CHECK(StringElements(outputs.at(0)) == strings);
}

TEST_CASE("tensors without elements go through a session") {
  Session session = LoadFixture("identity-fp32/1");
  const auto outputs = Run(session, One(MakeTensor<float>(DataType::kFp32, {}, {0})), {0});
  CHECK(ShapeOf(outputs.at(0)) == Shape{0});
}

TEST_CASE("the signature has names, datatypes, shapes and the names of free dimensions") {
  const Session session = LoadFixture("mixed/1");
  const auto& inputs = session.inputs();
  REQUIRE(inputs.size() == 2);
  CHECK(inputs[0].name == "a");
  CHECK(inputs[0].type == DataType::kFp32);
  CHECK(inputs[0].shape == Shape{-1, 3});
  CHECK(inputs[0].symbols == std::vector<std::string>{"n", ""});
  CHECK(inputs[1].name == "b");
  CHECK(inputs[1].type == DataType::kInt64);
  CHECK(inputs[1].shape == Shape{-1});
  CHECK(inputs[1].symbols == std::vector<std::string>{"n"});

  const auto& outputs = session.outputs();
  REQUIRE(outputs.size() == 2);
  CHECK(outputs[0].name == "sum");
  CHECK(outputs[0].type == DataType::kFp32);
  CHECK(outputs[0].shape == Shape{-1});
  CHECK(outputs[1].name == "b2");
  CHECK(outputs[1].type == DataType::kInt64);
}

TEST_CASE("a scalar has rank 0 in the signature and in the answer") {
  Session session = LoadFixture("scalar/1");
  CHECK(session.inputs()[0].shape.empty());
  CHECK(session.inputs()[0].symbols.empty());
  const auto outputs = Run(session, One(MakeTensor<float>(DataType::kFp32, {1.5F}, {})), {0});
  CHECK(ShapeOf(outputs.at(0)).empty());
  CHECK(Elements<float>(outputs.at(0)) == std::vector<float>{3});
}

TEST_CASE("the outputs come in the order in which they were asked for") {
  Session session = LoadFixture("mixed/1");
  const auto inputs = [] {
    auto values = One(MakeTensor<float>(DataType::kFp32, {1, 2, 3, 4, 5, 6}, {2, 3}));
    values.push_back(MakeTensor<std::int64_t>(DataType::kInt64, {5, -7}, {2}));
    return values;
  };
  const auto swapped = Run(session, inputs(), {1, 0});
  REQUIRE(swapped.size() == 2);
  CHECK(Elements<std::int64_t>(swapped[0]) == std::vector<std::int64_t>{10, -14});
  CHECK(Elements<float>(swapped[1]) == std::vector<float>{6, 15});

  const auto second = Run(session, inputs(), {1});
  REQUIRE(second.size() == 1);
  CHECK(Elements<std::int64_t>(second[0]) == std::vector<std::int64_t>{10, -14});
}

TEST_CASE("an output that is asked for twice comes twice") {
  Session session = LoadFixture("shift/1");
  const auto outputs = Run(session, InputsOf(ShiftRequest(1)), {0, 0});
  REQUIRE(outputs.size() == 2);
  for (const Ort::Value& output : outputs) {
    REQUIRE(output.IsTensor());
    CHECK(Elements<float>(output) == std::vector<float>{1, 2, 3, 4});
  }
}

TEST_CASE("asking for no output, or for one that there is not, fails") {
  Session session = LoadFixture("shift/1");
  CHECK(CodeName(RunError(session, InputsOf(ShiftRequest(1)), {})) == "INVALID_ARGUMENT");
  CHECK_THROWS(Run(session, InputsOf(ShiftRequest(1)), {1}));
}

TEST_CASE("external weights give the documented answer") {
  Session session = LoadFixture("linear/1");
  const std::vector<float> x(64, 1.0F);
  const auto outputs = Run(session, One(MakeTensor(DataType::kFp32, x, {1, 64})), {0});
  std::vector<float> expected(8);
  for (int j = 0; j < 8; ++j) {
    expected[j] = static_cast<float>(j);
    for (int i = 0; i < 64; ++i) expected[j] += static_cast<float>((8 * i + j) % 7 - 3) / 8;
  }
  CHECK(Elements<float>(outputs.at(0)) == expected);
}

TEST_CASE("a run that fails throws what ONNX Runtime says, and the session goes on") {
  Session session = LoadFixture("fails-at-run/1");
  const Error error = RunError(session, InputsOf(ReshapeRequest(1, 3)));
  CHECK(CodeName(error) == "INTERNAL");
  CHECK(Contains(error.what(), "Reshape"));
  CHECK(ShapeOf(Run(session, InputsOf(ReshapeRequest(1, 4)), {0}).at(0)) == Shape{2, 2});
}

TEST_CASE("many threads run one session at once, each with its own answer") {
  Session session = LoadFixture("shift/1");
  constexpr int kThreads = 4;
  constexpr int kRuns = 50;
  std::vector<int> right(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&session, &right, t] {
      for (int i = 0; i < kRuns; ++i) {
        const auto x = static_cast<float>(1000 * t + i);
        const auto outputs = Run(session, InputsOf(ShiftRequest(1, x)), {0});
        if (Elements<float>(outputs.at(0)) == std::vector<float>{x + 1, x + 2, x + 3, x + 4}) {
          ++right[t];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::vector<int>(kThreads, kRuns));
}

TEST_CASE("a session may use several threads for one run") {
  Session session(Library(), ModelPath("linear/1"), {.intra_op_threads = 2});
  const std::vector<float> zeros(64 * 64);
  const auto outputs = Run(session, One(MakeTensor(DataType::kFp32, zeros, {64, 64})), {0});
  CHECK(ShapeOf(outputs.at(0)) == Shape{64, 8});
}

TEST_CASE("threads that wait spin only if that is asked for") {
  constexpr const char* kSpinning = "session.intra_op.allow_spinning";
  CHECK(ToOrt(SessionOptions{}).GetConfigEntry(kSpinning) == "0");
  CHECK(ToOrt(SessionOptions{.spinning = true}).GetConfigEntry(kSpinning) == "1");
}

TEST_CASE("inputs and outputs that are no tensors are UNIMPLEMENTED, with name and type") {
  const std::vector<std::pair<std::string, std::string>> refused{
      {"sequence-output/1", "output 'y' has the type sequence; only tensors are served"},
      {"map-output/1", "output 'y' has the type sequence; only tensors are served"},
      {"optional-input/1", "input 'x' has the type optional; only tensors are served"},
  };
  for (const auto& [fixture, message] : refused) {
    const Error error = LoadError(ModelPath(fixture));
    CHECK(CodeName(error) == "UNIMPLEMENTED");
    CHECK(Message(error) == message);
  }
}

TEST_CASE("a file that is no model is FAILED_PRECONDITION, with its path") {
  for (const auto* fixture : {"garbage/1", "truncated/1"}) {
    const auto path = ModelPath(fixture);
    const Error error = LoadError(path);
    CHECK(CodeName(error) == "FAILED_PRECONDITION");
    CHECK(Contains(error.what(), path.string()));
  }
}

TEST_CASE("missing external data is FAILED_PRECONDITION, with the name of the file") {
  const Error error = LoadError(ModelPath("missing-external/1"));
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), "weights.bin"));
}

TEST_CASE("an empty file is FAILED_PRECONDITION, a missing one NOT_FOUND") {
  const TempDir dir;
  WriteFile(dir / "model.onnx", "");
  CHECK(CodeName(LoadError(dir / "model.onnx")) == "FAILED_PRECONDITION");
  const Error error = LoadError(dir / "missing.onnx");
  CHECK(CodeName(error) == "NOT_FOUND");
  CHECK(Contains(error.what(), (dir / "missing.onnx").string()));
}

TEST_CASE("external data that ends before its weights do is FAILED_PRECONDITION") {
  const TempDir dir;
  const auto from = ModelPath("linear/1").parent_path();
  for (const auto* name : {"model.onnx", "weights.bin"}) {
    std::filesystem::copy_file(from / name, dir / name);
  }
  std::filesystem::resize_file(dir / "weights.bin", 4100);
  CHECK(CodeName(LoadError(dir / "model.onnx")) == "FAILED_PRECONDITION");
}

}  // namespace warmswap::test
