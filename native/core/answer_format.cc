#include "core/answer_format.h"

#include <chrono>
#include <string_view>

#include "core/msgpack.h"

namespace warmswap {
namespace {

constexpr std::uint64_t kResponse = 1;
constexpr std::string_view kData = "data";
/// Enough for the array, the kind and the msgid in front, and the timing behind.
constexpr std::size_t kEnds = 128;

/// What `write` writes, which is at most `max_size` bytes.
template <typename Write>
std::vector<std::byte> Packed(std::size_t max_size, const Write& write) {
  std::vector<std::byte> bytes(max_size);
  MsgpackWriter writer(bytes.data());
  write(writer);
  bytes.resize(static_cast<std::size_t>(writer.end() - bytes.data()));
  return bytes;
}

std::vector<std::byte> PackHead(const std::string& model, std::int64_t version,
                                std::size_t outputs) {
  return Packed(model.size() + kEnds, [&](MsgpackWriter& writer) {
    writer.Nil();
    writer.Map(4);
    writer.String("model");
    writer.String(model);
    writer.String("version");
    writer.Unsigned(static_cast<std::uint64_t>(version));
    writer.String("outputs");
    writer.Map(outputs);
  });
}

std::vector<std::byte> PackOutput(const TensorSpec& spec) {
  return Packed(spec.name.size() + kEnds, [&](MsgpackWriter& writer) {
    writer.String(spec.name);
    writer.Map(3);
    writer.String("datatype");
    writer.String(ToString(spec.type));
    writer.String("shape");
  });
}

double Microseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

void WriteShape(MsgpackWriter& writer, const RunResult& result, std::size_t output) {
  const std::vector<std::int64_t>& shape = result.outputs->tensors()[output].shape;
  writer.Array(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool is_row_count = i == 0 && result.rows.has_value();
    writer.Unsigned(is_row_count ? result.rows->count : static_cast<std::uint64_t>(shape[i]));
  }
}

void WriteTiming(MsgpackWriter& writer, const RunResult& result) {
  writer.String("timing");
  writer.Map(3);
  writer.String("queueUs");
  writer.Float(Microseconds(result.queued));
  writer.String("computeUs");
  writer.Float(Microseconds(result.computed));
  writer.String("batchSize");
  writer.Unsigned(result.batch_size);
}

}  // namespace

AnswerFormat::AnswerFormat(const std::string& model, std::int64_t version,
                           std::span<const TensorSpec* const> outputs)
    : head_(PackHead(model, version, outputs.size())) {
  for (const TensorSpec* spec : outputs) outputs_.push_back(PackOutput(*spec));
}

std::size_t AnswerFormat::MaxSize(const RunResult& result) const {
  std::size_t size = MaxFrameSize(result);
  for (std::size_t i = 0; i < outputs_.size(); ++i) size += result.Data(i).size();
  return size;
}

std::size_t AnswerFormat::MaxFrameSize(const RunResult& result) const {
  std::size_t size = head_.size() + kEnds;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const std::size_t rank = result.outputs->tensors()[i].shape.size();
    size += outputs_[i].size() + kData.size() + (rank + 3) * MsgpackWriter::kMaxHeader;
  }
  return size;
}

std::byte* AnswerFormat::Write(std::byte* to, std::uint32_t msgid, const RunResult& result) const {
  MsgpackWriter writer(to);
  WriteWith(writer, msgid, result, [&](std::size_t i) { writer.Binary(result.Data(i)); });
  return writer.end();
}

AnswerFrame AnswerFormat::Frame(std::uint32_t msgid, const RunResult& result) const {
  AnswerFrame frame;
  frame.bytes = Packed(MaxFrameSize(result), [&](MsgpackWriter& writer) {
    const std::byte* begin = writer.end();
    WriteWith(writer, msgid, result, [&](std::size_t i) {
      writer.BinaryHeader(result.Data(i).size());
      frame.cuts.push_back(static_cast<std::size_t>(writer.end() - begin));
    });
  });
  return frame;
}

template <typename WriteData>
void AnswerFormat::WriteWith(MsgpackWriter& writer, std::uint32_t msgid, const RunResult& result,
                             const WriteData& write_data) const {
  writer.Array(4);
  writer.Unsigned(kResponse);
  writer.Unsigned(msgid);
  writer.Raw(head_);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    writer.Raw(outputs_[i]);
    WriteShape(writer, result, i);
    writer.String(kData);
    write_data(i);
  }
  WriteTiming(writer, result);
}

}  // namespace warmswap
