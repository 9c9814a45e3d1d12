#include "core/fixed_run.h"

#include <string>
#include <utility>

#include "core/tensor.h"

namespace warmswap {
namespace {

/// No copy is under way once this has gone, so that its memory may go as well.
class DrainAtEnd {
 public:
  explicit DrainAtEnd(DeviceStream& stream) : stream_(stream) {}
  DrainAtEnd(const DrainAtEnd&) = delete;
  DrainAtEnd& operator=(const DrainAtEnd&) = delete;
  ~DrainAtEnd() { stream_.Drain(); }

 private:
  DeviceStream& stream_;
};

}  // namespace

void SetGraphId(Ort::RunOptions& options, int id) {
  options.AddConfigEntry("gpu_graph_id", std::to_string(id).c_str());
}

FixedRun::FixedRun(SessionRef session, Device& device, DeviceStream& stream, int graph_id,
                   std::span<const Ort::Value> inputs, std::span<const Ort::Value> outputs)
    : device_(device),
      stream_(stream),
      session_(session),
      graph_id_(graph_id),
      binding_(session.session) {
  for (const Ort::Value& value : inputs) inputs_.push_back(Like(value));
  for (const Ort::Value& value : outputs) outputs_.push_back(Like(value));
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    binding_.BindInput(session.inputs.at(i).name.c_str(), inputs_[i].value);
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    binding_.BindOutput(session.outputs.at(i).name.c_str(), outputs_[i].value);
  }
}

std::vector<Ort::Value> FixedRun::Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                                      std::span<const std::size_t> outputs) {
  std::vector<Ort::Value> results;
  results.reserve(outputs.size());
  const DrainAtEnd no_copy_outlives_this(stream_);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto* data = static_cast<const std::byte*>(inputs[i].GetTensorRawData());
    stream_.CopyToDevice(inputs_[i].memory.get(), {data, inputs_[i].bytes});
  }
  SetGraphId(options, graph_id_);
  session_.session.Run(options, binding_);
  for (const std::size_t index : outputs) results.push_back(CopyToHost(outputs_.at(index)));
  stream_.Wait();
  is_recorded_ = true;
  return results;
}

FixedRun::Tensor FixedRun::Like(const Ort::Value& value) const {
  const auto info = value.GetTensorTypeAndShapeInfo();
  const ONNXTensorElementDataType type = info.GetElementType();
  const std::size_t bytes = info.GetElementCount() * ElementSize(FromOrt(type).value());
  std::vector<std::int64_t> shape = info.GetShape();
  std::shared_ptr<void> memory = stream_.Allocate(bytes);
  Ort::Value over = Ort::Value::CreateTensor(device_.device_info(), memory.get(), bytes,
                                             shape.data(), shape.size(), type);
  return {std::move(memory), bytes, std::move(shape), type, std::move(over)};
}

Ort::Value FixedRun::CopyToHost(const Tensor& tensor) {
  Ort::Value value = Ort::Value::CreateTensor(device_.host_allocator(), tensor.shape.data(),
                                              tensor.shape.size(), tensor.type);
  auto* data = static_cast<std::byte*>(value.GetTensorMutableRawData());
  stream_.CopyToHost({data, tensor.bytes}, tensor.memory.get());
  return value;
}

}  // namespace warmswap
