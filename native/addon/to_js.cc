#include "addon/to_js.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "core/error.h"

namespace warmswap {
namespace {

// Of BYTES, over all outputs: each becomes an object, which takes far more memory than its bytes.
// A frame with as many can be read (src/rpc/structure.ts).
constexpr std::size_t kMaxStrings = 2'000'000;
// Below this a copy is cheaper than an external buffer with its finalizer.
constexpr std::size_t kExternalBytes = 64 * 1024;

template <typename Numbers>
Napi::Array FromNumbers(Napi::Env env, const Numbers& numbers) {
  auto array = Napi::Array::New(env, numbers.size());
  for (std::uint32_t i = 0; i < numbers.size(); ++i) {
    array[i] = Napi::Number::New(env, static_cast<double>(numbers[i]));
  }
  return array;
}

Napi::Object FromSpec(Napi::Env env, const TensorSpec& spec) {
  auto object = Napi::Object::New(env);
  object.Set("name", spec.name);
  object.Set("datatype", static_cast<double>(spec.type));
  object.Set("shape", FromNumbers(env, spec.shape));
  object.Set("symbols", FromStrings(env, spec.symbols));
  return object;
}

Napi::Value CopyBytes(Napi::Env env, const void* data, std::size_t size) {
  auto buffer = Napi::ArrayBuffer::New(env, size);
  if (size > 0) std::memcpy(buffer.Data(), data, size);
  return Napi::Uint8Array::New(env, size, buffer, 0);
}

template <typename Owner>
Napi::Value LendFrom(Napi::Env env, std::span<const std::byte> bytes, Owner owner) {
  auto held = std::make_unique<Owner>(std::move(owner));
  const auto free_owner = [](Napi::Env, void*, Owner* last) {
    const std::unique_ptr<Owner> freed(last);
  };
  // JavaScript's views are writable; nobody writes to what a run gave.
  auto* data = const_cast<std::byte*>(bytes.data());
  auto buffer = Napi::ArrayBuffer::New(env, data, bytes.size(), free_owner, held.get());
  static_cast<void>(held.release());  // the finalizer's from here on
  return Napi::Uint8Array::New(env, bytes.size(), buffer, 0);
}

template <typename Owner>
Napi::Value FromBytes(Napi::Env env, std::span<const std::byte> bytes, Owner owner) {
  if (bytes.size() >= kExternalBytes) return LendFrom(env, bytes, std::move(owner));
  return CopyBytes(env, bytes.data(), bytes.size());
}

// One buffer with a view for each element: a buffer for each would cost far more than its bytes.
Napi::Value FromStringTensor(Napi::Env env, const Ort::Value& value, std::size_t count) {
  const std::size_t size = value.GetStringTensorDataLength();
  auto buffer = Napi::ArrayBuffer::New(env, size);
  std::vector<std::size_t> offsets(count + 1, size);
  value.GetStringTensorContent(buffer.Data(), size, offsets.data(), count);
  auto array = Napi::Array::New(env, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Napi::HandleScope scope(env);
    array[i] = Napi::Uint8Array::New(env, offsets[i + 1] - offsets[i], buffer, offsets[i]);
  }
  return array;
}

Napi::Value FromTensorData(Napi::Env env, const RunResult& result, std::size_t output) {
  const RunOutputs::Tensor& tensor = result.outputs->tensors()[output];
  if (tensor.type == DataType::kBytes) {
    return FromStringTensor(env, result.outputs->value(output), ElementCount(tensor.shape).value());
  }
  return FromBytes(env, result.Data(output), result.outputs);
}

void RefuseTooManyStrings(const RunResult& result) {
  std::size_t count = 0;
  for (const RunOutputs::Tensor& tensor : result.outputs->tensors()) {
    if (tensor.type == DataType::kBytes) count += ElementCount(tensor.shape).value();
  }
  if (count <= kMaxStrings) return;
  throw Error(ErrorCode::kInvalidArgument, "the outputs have " + std::to_string(count) +
                                               " elements of BYTES, at most " +
                                               std::to_string(kMaxStrings) + " are answered");
}

double Microseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

Napi::Object FromHistogram(Napi::Env env, const Histogram::Snapshot& histogram) {
  auto object = Napi::Object::New(env);
  object.Set("counts", FromNumbers(env, histogram.counts));
  object.Set("sum", static_cast<double>(histogram.sum));
  return object;
}

Napi::Object FromOutcomes(Napi::Env env, const StatisticsSnapshot& statistics) {
  auto object = Napi::Object::New(env);
  object.Set("OK", static_cast<double>(statistics.succeeded));
  for (std::size_t i = 0; i < kErrorCodeCount; ++i) {
    const std::string code(ToString(static_cast<ErrorCode>(i)));
    object.Set(code, static_cast<double>(statistics.failed[i]));
  }
  return object;
}

}  // namespace

Napi::Array FromStrings(Napi::Env env, const std::vector<std::string>& strings) {
  auto array = Napi::Array::New(env, strings.size());
  for (std::uint32_t i = 0; i < strings.size(); ++i) array[i] = strings[i];
  return array;
}

Napi::Array FromSpecs(Napi::Env env, const std::vector<TensorSpec>& specs) {
  auto array = Napi::Array::New(env, specs.size());
  for (std::uint32_t i = 0; i < specs.size(); ++i) array[i] = FromSpec(env, specs[i]);
  return array;
}

Napi::Object FromRunResult(Napi::Env env, const RunResult& result) {
  RefuseTooManyStrings(result);
  auto datatypes = Napi::Array::New(env, result.size());
  auto shapes = Napi::Array::New(env, result.size());
  auto data = Napi::Array::New(env, result.size());
  for (std::uint32_t i = 0; i < result.size(); ++i) {
    datatypes[i] = static_cast<double>(result.outputs->tensors()[i].type);
    shapes[i] = FromNumbers(env, result.Shape(i));
    data[i] = FromTensorData(env, result, i);
  }
  auto object = Napi::Object::New(env);
  object.Set("datatypes", datatypes);
  object.Set("shapes", shapes);
  object.Set("data", data);
  object.Set("queueUs", Microseconds(result.queued));
  object.Set("computeUs", Microseconds(result.computed));
  object.Set("batchSize", static_cast<double>(result.batch_size));
  return object;
}

Napi::Array FromAnswer(Napi::Env env, const AnswerFrame& frame, const RunResult& result) {
  auto pieces = Napi::Array::New(env, 2 * frame.cuts.size() + 1);
  std::uint32_t count = 0;
  std::size_t from = 0;
  for (std::size_t i = 0; i < frame.cuts.size(); ++i) {
    const std::size_t cut = frame.cuts[i];
    pieces[count++] = CopyBytes(env, frame.bytes.data() + from, cut - from);
    pieces[count++] = FromBytes(env, result.Data(i), result.outputs);
    from = cut;
  }
  pieces[count] = CopyBytes(env, frame.bytes.data() + from, frame.bytes.size() - from);
  return pieces;
}

Napi::Value LendBytes(Napi::Env env, std::unique_ptr<std::byte[]> bytes, std::size_t size) {
  const std::span<const std::byte> lent(bytes.get(), size);
  return LendFrom(env, lent, std::move(bytes));
}

Napi::Object FromPackReport(Napi::Env env, const PackReport& report) {
  auto object = Napi::Object::New(env);
  object.Set("form", std::string(ToString(report.form)));
  if (!report.reason.empty()) object.Set("reason", report.reason);
  object.Set("verified", report.verified);
  object.Set("sourceBytes", static_cast<double>(report.source_bytes));
  object.Set("bytes", static_cast<double>(report.artifact_bytes));
  object.Set("dataFileBytes", static_cast<double>(report.data_file_bytes));
  object.Set("weightBytes", static_cast<double>(report.weight_bytes));
  object.Set("privateBytes", static_cast<double>(report.private_bytes));
  object.Set("unpackedSlowdown", report.unpacked_slowdown);
  object.Set("loadBytes", static_cast<double>(report.load_bytes));
  object.Set("peakMemoryGrowth", static_cast<double>(report.peak_memory_growth));
  object.Set("packSeconds", report.seconds);
  return object;
}

Napi::Object FromStatistics(Napi::Env env, const StatisticsSnapshot& statistics) {
  auto object = Napi::Object::New(env);
  object.Set("requests", FromOutcomes(env, statistics));
  object.Set("rowsIn", static_cast<double>(statistics.rows_in));
  object.Set("rowsOut", static_cast<double>(statistics.rows_out));
  object.Set("bytesIn", static_cast<double>(statistics.bytes_in));
  object.Set("bytesOut", static_cast<double>(statistics.bytes_out));
  object.Set("batchSize", FromHistogram(env, statistics.batch_size));
  object.Set("queueUs", FromHistogram(env, statistics.queue_us));
  object.Set("assembleUs", FromHistogram(env, statistics.assemble_us));
  object.Set("runUs", FromHistogram(env, statistics.run_us));
  object.Set("splitUs", FromHistogram(env, statistics.split_us));
  return object;
}

Napi::Object FromMemory(Napi::Env env, const ModelMemory& memory) {
  auto object = Napi::Object::New(env);
  object.Set("mappedBytes", static_cast<double>(memory.mapped_bytes));
  object.Set("residentBytes", static_cast<double>(memory.resident_bytes));
  object.Set("privateBytes", static_cast<double>(memory.private_bytes));
  if (memory.device_bytes) {
    object.Set("deviceBytes", static_cast<double>(*memory.device_bytes));
  }
  return object;
}

}  // namespace warmswap
