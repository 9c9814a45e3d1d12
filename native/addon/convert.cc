#include "addon/convert.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "core/error.h"

namespace warmswap {
namespace {

// Below this a copy is cheaper than an external buffer with its finalizer.
constexpr std::size_t kExternalBytes = 64 * 1024;
constexpr std::size_t kMaxRank = 64;
constexpr std::int64_t kMaxThreads = 1024;
constexpr std::int64_t kMaxCount = 65'536;
constexpr double kMaxInteger = 9007199254740991.0;  // 2^53 - 1
constexpr double kMaxDurationMs = 1e10;             // about four months

[[noreturn]] void Refuse(const std::string& what, const std::string& expected) {
  throw Error(ErrorCode::kInvalidArgument, what + " must be " + expected);
}

int ToThreads(const Napi::Value& value, const std::string& what) {
  const std::int64_t threads = ToInteger(value, what);
  if (threads < 1 || threads > kMaxThreads) Refuse(what, "1 to 1024");
  return static_cast<int>(threads);
}

bool ToOptionalFlag(const Napi::Value& value, const std::string& what) {
  if (value.IsUndefined()) return false;
  if (!value.IsBoolean()) Refuse(what, "true or false");
  return value.As<Napi::Boolean>().Value();
}

std::size_t ToCount(const Napi::Value& value, const std::string& what) {
  const std::int64_t count = ToInteger(value, what);
  if (count < 1 || count > kMaxCount) Refuse(what, "1 to 65536");
  return static_cast<std::size_t>(count);
}

std::uint64_t ToByteCount(const Napi::Value& value, const std::string& what) {
  return static_cast<std::uint64_t>(ToInteger(value, what));
}

std::span<const std::byte> ToBytes(const Napi::Value& value, const std::string& what) {
  if (!value.IsTypedArray()) Refuse(what, "a Uint8Array");
  const auto array = value.As<Napi::TypedArray>();
  if (array.TypedArrayType() != napi_uint8_array) Refuse(what, "a Uint8Array");
  const auto bytes = array.As<Napi::Uint8Array>();
  return {reinterpret_cast<const std::byte*>(bytes.Data()), bytes.ByteLength()};
}

std::string ToElement(const Napi::Value& value) {
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  const auto bytes = ToBytes(value, "an element of a BYTES tensor that is no string");
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

DataType ToDataType(const Napi::Value& value) {
  const std::int64_t number = ToInteger(value, "a datatype");
  if (number >= kDataTypeCount) Refuse("a datatype", "one of the protocol's");
  return static_cast<DataType>(number);
}

std::vector<std::int64_t> ToShape(const Napi::Value& value) {
  const Napi::Array array = ToArray(value, "a shape");
  if (array.Length() > kMaxRank) Refuse("a shape", "of at most 64 dimensions");
  std::vector<std::int64_t> shape(array.Length());
  for (std::uint32_t i = 0; i < shape.size(); ++i) shape[i] = ToInteger(array[i], "a dimension");
  return shape;
}

TensorView ToTensorView(DataType type, std::vector<std::int64_t> shape, const Napi::Value& data) {
  TensorView view{type, std::move(shape), {}, {}};
  if (type != DataType::kBytes) {
    view.data = ToBytes(data, "the data of a tensor");
    return view;
  }
  const Napi::Array elements = ToArray(data, "the data of a BYTES tensor");
  view.strings.reserve(elements.Length());
  for (std::uint32_t i = 0; i < elements.Length(); ++i) {
    const Napi::HandleScope scope(elements.Env());
    view.strings.push_back(ToElement(elements[i]));
  }
  return view;
}

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
  const std::span<const std::byte> data = result.Data(output);
  if (data.size() >= kExternalBytes) return LendFrom(env, data, result.outputs);
  return CopyBytes(env, data.data(), data.size());
}

Execution ToExecution(const Napi::Value& value) {
  const std::string text = ToText(value, "execution");
  if (text == "auto") return Execution::kAuto;
  if (text == "inline") return Execution::kInline;
  if (text == "threaded") return Execution::kThreaded;
  Refuse("execution", "auto, inline or threaded");
}

void SetScheduling(RunnerOptions& options, const Napi::Object& object) {
  const Napi::Value priorities = object.Get("priorities");
  const Napi::Value max_batch = object.Get("maxBatch");
  const Napi::Value max_delay = object.Get("maxDelayMs");
  if (!priorities.IsUndefined()) options.priorities = ToCount(priorities, "priorities");
  if (!max_batch.IsUndefined()) options.max_batch = ToCount(max_batch, "maxBatch");
  if (!max_delay.IsUndefined()) options.max_delay = ToDuration(max_delay, "maxDelayMs");
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

std::int64_t ToInteger(const Napi::Value& value, const std::string& what) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= kMaxInteger) || std::trunc(number) != number) {
    Refuse(what, "an integer of 0 to 2^53 - 1");
  }
  return static_cast<std::int64_t>(number);
}

std::chrono::nanoseconds ToDuration(const Napi::Value& value, const std::string& what) {
  const double ms = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(ms >= 0 && ms <= kMaxDurationMs)) Refuse(what, "milliseconds of 0 to 1e10");
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double, std::milli>(ms));
}

std::string ToText(const Napi::Value& value, const std::string& what) {
  if (!value.IsString()) Refuse(what, "a string");
  return value.As<Napi::String>().Utf8Value();
}

Napi::Array ToArray(const Napi::Value& value, const std::string& what) {
  if (!value.IsArray()) Refuse(what, "an array");
  return value.As<Napi::Array>();
}

ModelOptions ToModelOptions(const Napi::Value& value) {
  if (!value.IsObject()) Refuse("the model's options", "an object");
  const auto object = value.As<Napi::Object>();
  ModelOptions options;
  options.model_path = ToText(object.Get("modelPath"), "modelPath");
  options.session.intra_op_threads = ToThreads(object.Get("intraOpThreads"), "intraOpThreads");
  options.session.spinning = ToOptionalFlag(object.Get("spinning"), "spinning");
  options.session.optimised = ToOptionalFlag(object.Get("optimised"), "optimised");
  options.session.prepacking = !ToOptionalFlag(object.Get("unpacked"), "unpacked");
  const Napi::Value reserve = object.Get("reserveBytes");
  if (!reserve.IsUndefined()) options.reserve_bytes = ToByteCount(reserve, "reserveBytes");
  options.runner.threads =
      static_cast<std::size_t>(ToThreads(object.Get("runnerThreads"), "runnerThreads"));
  options.runner.queue_capacity =
      static_cast<std::size_t>(ToInteger(object.Get("queueCapacity"), "queueCapacity"));
  SetScheduling(options.runner, object);
  const Napi::Value execution = object.Get("execution");
  if (!execution.IsUndefined()) options.execution = ToExecution(execution);
  return options;
}

PackOrder ToPackOrder(const Napi::Value& value) {
  if (!value.IsObject()) Refuse("what to pack", "an object");
  const auto object = value.As<Napi::Object>();
  return {ToText(object.Get("sourcePath"), "sourcePath"),
          ToText(object.Get("outputDirectory"), "outputDirectory"),
          {.intra_op_threads = ToThreads(object.Get("intraOpThreads"), "intraOpThreads")}};
}

std::vector<TensorView> ToTensorViews(const Napi::Value& datatypes, const Napi::Value& shapes,
                                      const Napi::Value& data) {
  const Napi::Array datatype_array = ToArray(datatypes, "datatypes");
  const Napi::Array shape_array = ToArray(shapes, "shapes");
  const Napi::Array data_array = ToArray(data, "data");
  std::vector<TensorView> views;
  views.reserve(datatype_array.Length());
  for (std::uint32_t i = 0; i < datatype_array.Length(); ++i) {
    views.push_back(
        ToTensorView(ToDataType(datatype_array[i]), ToShape(shape_array[i]), data_array[i]));
  }
  return views;
}

std::vector<std::size_t> ToIndices(const Napi::Value& value, std::size_t count) {
  const Napi::Array array = ToArray(value, "outputs");
  std::vector<std::size_t> indices(array.Length());
  for (std::uint32_t i = 0; i < indices.size(); ++i) {
    indices[i] = static_cast<std::size_t>(ToInteger(array[i], "an output's index"));
    if (indices[i] >= count) Refuse("an output's index", "below " + std::to_string(count));
  }
  return indices;
}

Clock::time_point ToDeadline(const Napi::Value& value) {
  if (value.IsUndefined()) return Clock::time_point::max();
  return Clock::now() + ToDuration(value, "a deadline");
}

std::optional<std::size_t> ToPriority(const Napi::Value& value) {
  if (value.IsUndefined()) return std::nullopt;
  return static_cast<std::size_t>(ToInteger(value, "a priority"));
}

std::uint64_t ToTicket(const Napi::Value& value) {
  return static_cast<std::uint64_t>(ToInteger(value, "a ticket"));
}

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

Napi::Value LendBytes(Napi::Env env, std::unique_ptr<std::byte[]> bytes, std::size_t size) {
  const std::span<const std::byte> lent(bytes.get(), size);
  return LendFrom(env, lent, std::move(bytes));
}

std::span<const std::byte> ToFrame(const Napi::Value& value) {
  if (!value.IsArrayBuffer()) Refuse("a frame", "an ArrayBuffer");
  auto buffer = value.As<Napi::ArrayBuffer>();
  return {static_cast<const std::byte*>(buffer.Data()), buffer.ByteLength()};
}

std::span<double> ToFields(const Napi::Value& value, std::size_t count) {
  const bool is_array =
      value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array;
  if (!is_array) Refuse("the fields", "a Float64Array");
  auto array = value.As<Napi::Float64Array>();
  if (array.ElementLength() < count) Refuse("the fields", "at least " + std::to_string(count));
  return {array.Data(), array.ElementLength()};
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
  return object;
}

}  // namespace warmswap
