#include "requests.h"

#include <span>

#include "core/batch.h"
#include "core/msgpack.h"

namespace warmswap::bench {
namespace {

constexpr std::uint64_t kMsgid = 7;
constexpr std::size_t kMostFrameBytesBesideData = 256;

std::vector<float> Values(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(i % 201) / 100.0F - 1.0F;
  }
  return values;
}

}  // namespace

InputTensor MakeInput(const ModelName& model, std::size_t rows, MemoryPool& pool) {
  const std::vector<float> values = Values(rows * model.width);
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(rows),
                                        static_cast<std::int64_t>(model.width)};
  return CopyInput({DataType::kFp32, shape, std::as_bytes(std::span(values)), {}}, pool);
}

Request MakeRequest(const ModelName& model, std::size_t rows, std::uint64_t ticket,
                    MemoryPool& pool) {
  Request request;
  request.ticket = ticket;
  request.inputs.push_back(MakeInput(model, rows, pool));
  request.outputs = {0};
  MarkForBatching(request);
  return request;
}

std::vector<std::byte> MakeFrame(const ModelName& model, std::size_t rows) {
  const std::vector<float> values = Values(rows * model.width);
  std::vector<std::byte> frame(kMostFrameBytesBesideData + values.size() * sizeof(float));
  MsgpackWriter writer(frame.data());
  writer.Array(4);
  writer.Unsigned(0);
  writer.Unsigned(kMsgid);
  writer.String("infer");
  writer.Array(1);
  writer.Map(2);
  writer.String("model");
  writer.String(model.folder);
  writer.String("inputs");
  writer.Map(1);
  writer.String("x");
  writer.Map(3);
  writer.String("datatype");
  writer.String("FP32");
  writer.String("shape");
  writer.Array(2);
  writer.Unsigned(rows);
  writer.Unsigned(model.width);
  writer.String("data");
  writer.Binary(std::as_bytes(std::span(values)));
  frame.resize(static_cast<std::size_t>(writer.end() - frame.data()));
  return frame;
}

}  // namespace warmswap::bench
