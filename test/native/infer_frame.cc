#include "core/infer_frame.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/msgpack.h"
#include "support.h"

namespace warmswap::test {
namespace {

using Bytes = std::vector<std::byte>;
using Write = std::function<void(MsgpackWriter&)>;

Bytes Written(const Write& write) {
  Bytes bytes(4096);
  MsgpackWriter writer(bytes.data());
  write(writer);
  bytes.resize(static_cast<std::size_t>(writer.end() - bytes.data()));
  return bytes;
}

const std::vector<float> kData{1, 2, 3, 4};

void WriteTensor(MsgpackWriter& writer) {
  writer.Map(3);
  writer.String("datatype");
  writer.String("FP32");
  writer.String("shape");
  writer.Array(2);
  writer.Unsigned(1);
  writer.Unsigned(4);
  writer.String("data");
  writer.Binary(AsBytes(kData));
}

void WriteInputs(MsgpackWriter& writer) {
  writer.String("inputs");
  writer.Map(1);
  writer.String("x");
  WriteTensor(writer);
}

/// A request with model and inputs, and `count` more params.
Bytes Frame(
    std::size_t count = 0, const Write& more = [](MsgpackWriter&) {}, const char* model = "shift") {
  return Written([&](MsgpackWriter& writer) {
    writer.Array(4);
    writer.Unsigned(0);
    writer.Unsigned(70'000);
    writer.String("infer");
    writer.Array(1);
    writer.Map(2 + count);
    writer.String("model");
    writer.String(model);
    WriteInputs(writer);
    more(writer);
  });
}

Bytes WithParam(const std::string& key, const Write& value) {
  return Frame(1, [&](MsgpackWriter& writer) {
    writer.String(key);
    value(writer);
  });
}

Bytes WithNumber(const std::string& key, std::uint64_t value) {
  return WithParam(key, [&](MsgpackWriter& writer) { writer.Unsigned(value); });
}

}  // namespace

TEST_CASE("a plain request is read without copying its data") {
  const Bytes bytes = Frame();
  const auto frame = ParseInferFrame(bytes);
  REQUIRE(frame.has_value());
  CHECK(frame->msgid == 70'000);
  CHECK(frame->model == "shift");
  CHECK_FALSE(frame->version.has_value());
  CHECK(frame->outputs.empty());
  REQUIRE(frame->inputs.size() == 1);
  CHECK(frame->inputs[0].name == "x");
  const TensorView& tensor = frame->inputs[0].tensor;
  CHECK(tensor.type == DataType::kFp32);
  CHECK(tensor.shape == std::vector<std::int64_t>{1, 4});
  CHECK(tensor.data.size() == 16);
  CHECK(tensor.data.data() > bytes.data());
  CHECK(tensor.data.data() < bytes.data() + bytes.size());
}

TEST_CASE("all params of the contract are read") {
  const Bytes bytes = Frame(5, [](MsgpackWriter& writer) {
    writer.String("key");
    writer.String("user 7");
    writer.String("label");
    writer.String("canary");
    writer.String("outputs");
    writer.Array(2);
    writer.String("a");
    writer.String("b");
    writer.String("deadlineMs");
    writer.Float(2.5);
    writer.String("priority");
    writer.Unsigned(2);
  });
  const auto labelled = ParseInferFrame(bytes);
  REQUIRE(labelled.has_value());
  CHECK(labelled->label == "canary");
  CHECK(labelled->outputs == std::vector<std::string_view>{"a", "b"});
  CHECK(labelled->deadline_ms == 2.5);
  CHECK(labelled->priority == 2);
  const Bytes pinned = WithNumber("version", 3);
  CHECK(ParseInferFrame(pinned)->version == 3);
}

TEST_CASE("what is no plain request is left to others") {
  for (const Bytes& bytes : {
           Bytes(),
           Frame(1, [](MsgpackWriter&) {}),
           Frame(0, [](MsgpackWriter& writer) { writer.Nil(); }),
           Frame(1, WriteInputs),
           WithParam("model", [](MsgpackWriter& writer) { writer.String("shift"); }),
           Frame(
               1,
               [](MsgpackWriter& writer) {
                 writer.String("model");
                 writer.String("shift");
               },
               ""),
           WithNumber("version", 0),
           WithNumber("deadlineMs", 0),
           WithNumber("deadlineMs", 2'000'000'000),
           WithNumber("key", 1),
           WithParam("key", [](MsgpackWriter& writer) { writer.String("user \xff"); }),
           WithNumber("unknown", 1),
           WithParam("outputs", [](MsgpackWriter& writer) { writer.Array(0); }),
           WithParam("outputs",
                     [](MsgpackWriter& writer) {
                       writer.Array(2);
                       writer.String("a");
                       writer.String("a");
                     }),
           Frame(2,
                 [](MsgpackWriter& writer) {
                   writer.String("version");
                   writer.Unsigned(1);
                   writer.String("label");
                   writer.String("a");
                 }),
       }) {
    CHECK_FALSE(ParseInferFrame(bytes).has_value());
  }
}

TEST_CASE("a frame that is cut off anywhere, or longer, is left to others") {
  Bytes bytes = Frame();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    REQUIRE_FALSE(ParseInferFrame(std::span(bytes).first(length)).has_value());
  }
  bytes.push_back(std::byte{0});
  CHECK_FALSE(ParseInferFrame(bytes).has_value());
}

TEST_CASE("no flipped byte does any harm") {
  const Bytes bytes = Frame();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes flipped = bytes;
      flipped[i] ^= static_cast<std::byte>(1U << bit);
      const auto frame = ParseInferFrame(flipped);
      if (frame) CHECK(frame->inputs.size() == 1);
    }
  }
}

TEST_CASE("integers of every width are read, negative ones are not") {
  const auto read = [](std::vector<unsigned char> bytes) {
    MsgpackReader reader(AsBytes(bytes));
    const std::uint64_t value = reader.Unsigned();
    return reader.ok() && reader.at_end() ? static_cast<std::int64_t>(value) : -1;
  };
  CHECK(read({0x05}) == 5);
  CHECK(read({0xcc, 200}) == 200);
  CHECK(read({0xcd, 1, 0}) == 256);
  CHECK(read({0xce, 0, 1, 0, 0}) == 65'536);
  CHECK(read({0xcf, 0, 0, 0, 1, 0, 0, 0, 0}) == 4'294'967'296);
  CHECK(read({0xd0, 127}) == 127);
  CHECK(read({0xd1, 1, 0}) == 256);
  CHECK(read({0xd3, 0, 0, 0, 0, 0, 0, 0, 9}) == 9);
  CHECK(read({0xd0, 0xff}) == -1);
  CHECK(read({0xff}) == -1);
  CHECK(read({0xa1, 'a'}) == -1);
  CHECK(read({}) == -1);
}

TEST_CASE("what is written is read, at every width of its header") {
  for (const std::size_t length : {0, 1, 31, 32, 255, 256, 65'535, 65'536}) {
    const std::string text(length, 'a');
    Bytes bytes(3 * (length + MsgpackWriter::kMaxHeader));
    MsgpackWriter writer(bytes.data());
    writer.String(text);
    writer.Binary(std::as_bytes(std::span(text)));
    writer.Unsigned(length);
    bytes.resize(static_cast<std::size_t>(writer.end() - bytes.data()));
    MsgpackReader reader(bytes);
    CHECK(reader.String() == text);
    CHECK(reader.Binary().size() == length);
    CHECK(reader.Unsigned() == length);
    CHECK(reader.ok());
    CHECK(reader.at_end());
  }
}

}  // namespace warmswap::test
