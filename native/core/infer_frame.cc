#include "core/infer_frame.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "core/msgpack.h"
#include "core/utf8.h"

namespace warmswap {
namespace {

constexpr std::uint64_t kRequest = 0;
constexpr std::size_t kMaxTensors = 256;
constexpr std::size_t kMaxRank = 64;
/// The complete way refuses some longer ones (src/rpc/structure.ts), and knows which.
constexpr std::size_t kMaxPlainKey = 64;
constexpr double kMaxDeadlineMs = 1e9;
constexpr std::uint64_t kMaxInteger = (std::uint64_t{1} << 53U) - 1;  // JavaScript's

/// Reads one frame; `ok` turns false at whatever is not plain.
class Parser {
 public:
  Parser(std::span<const std::byte> bytes, InferFrame& frame) : reader_(bytes), frame_(frame) {}

  bool Parse() {
    Reset();
    Require(reader_.Array() == 4 && reader_.Unsigned() == kRequest);
    frame_.msgid = static_cast<std::uint32_t>(Integer(std::numeric_limits<std::uint32_t>::max()));
    Require(reader_.String() == "infer" && reader_.Array() == 1);
    for (std::size_t left = reader_.Map(); left > 0 && ok(); --left) Param();
    Require(reader_.at_end() && !frame_.model.empty() && has_inputs_);
    Require(!frame_.version || !frame_.label);
    return ok();
  }

 private:
  // Not the inputs, which keep the memory of their shapes.
  void Reset() {
    frame_.model = {};
    frame_.version.reset();
    frame_.label.reset();
    frame_.outputs.clear();
    frame_.deadline_ms.reset();
    frame_.priority.reset();
  }

  bool ok() const { return ok_ && reader_.ok(); }
  void Require(bool condition) { ok_ = ok_ && condition; }

  std::uint64_t Integer(std::uint64_t max) {
    const std::uint64_t value = reader_.Unsigned();
    Require(value <= max);
    return value;
  }

  void Param() {
    const std::string_view key = reader_.String();
    if (key == "model") {
      Require(frame_.model.empty());
      frame_.model = reader_.String();
      Require(!frame_.model.empty());
    } else if (key == "inputs") {
      Require(!has_inputs_);
      Inputs();
    } else if (key == "version") {
      Require(!frame_.version);
      frame_.version = static_cast<std::int64_t>(Integer(kMaxInteger));
      Require(*frame_.version > 0);
    } else {
      RareParam(key);
    }
  }

  void RareParam(std::string_view key) {
    if (key == "label") {
      Require(!frame_.label);
      frame_.label = reader_.String();
    } else if (key == "outputs") {
      Require(frame_.outputs.empty());
      Outputs();
    } else if (key == "deadlineMs") {
      Require(!frame_.deadline_ms);
      frame_.deadline_ms = reader_.Number();
      Require(*frame_.deadline_ms > 0 && *frame_.deadline_ms <= kMaxDeadlineMs);
    } else if (key == "priority") {
      Require(!frame_.priority);
      frame_.priority = static_cast<std::size_t>(Integer(kMaxInteger));
    } else if (key == "key") {
      Require(!std::exchange(has_key_, true));
      const std::string_view value = reader_.String();  // there is one version to choose
      Require(!value.empty() && value.size() <= kMaxPlainKey && IsUtf8(value));
    } else {
      Require(false);
    }
  }

  void Inputs() {
    has_inputs_ = true;
    const std::size_t count = reader_.Map();
    Require(count <= kMaxTensors);
    frame_.inputs.resize(std::min(count, kMaxTensors));
    for (std::size_t i = 0; i < count && ok(); ++i) {
      frame_.inputs[i].name = reader_.String();
      Tensor(frame_.inputs[i].tensor);
    }
  }

  void Tensor(TensorView& tensor) {
    std::optional<DataType> type;
    bool has_shape = false;
    std::optional<std::span<const std::byte>> data;
    Require(reader_.Map() == 3);
    for (int left = 3; left > 0 && ok(); --left) {
      const std::string_view key = reader_.String();
      if (key == "datatype") {
        type = FromString(reader_.String());
      } else if (key == "shape") {
        has_shape = true;
        Shape(tensor.shape);
      } else if (key == "data") {
        data = reader_.Binary();
      }
    }
    // Three fields of three, so none came twice.
    Require(type && has_shape && data);
    if (!ok()) return;
    tensor.type = *type;
    tensor.data = *data;
  }

  void Shape(std::vector<std::int64_t>& shape) {
    const std::size_t rank = reader_.Array();
    Require(rank <= kMaxRank);
    shape.clear();
    for (std::size_t left = rank; left > 0 && ok(); --left) {
      shape.push_back(static_cast<std::int64_t>(Integer(kMaxInteger)));
    }
  }

  void Outputs() {
    const std::size_t count = reader_.Array();
    Require(count > 0 && count <= kMaxTensors);
    for (std::size_t left = count; left > 0 && ok(); --left) {
      const std::string_view name = reader_.String();
      Require(std::ranges::find(frame_.outputs, name) == frame_.outputs.end());
      frame_.outputs.push_back(name);
    }
  }

  MsgpackReader reader_;
  InferFrame& frame_;
  bool has_inputs_ = false;
  bool has_key_ = false;
  bool ok_ = true;
};

}  // namespace

std::optional<InferFrame> ParseInferFrame(std::span<const std::byte> frame) {
  InferFrame read;
  if (!ReadInferFrame(frame, read)) return std::nullopt;
  return read;
}

bool ReadInferFrame(std::span<const std::byte> bytes, InferFrame& frame) {
  return Parser(bytes, frame).Parse();
}

}  // namespace warmswap
