#include "addon/from_js.h"

#include <cmath>
#include <utility>

#include "core/error.h"

namespace warmswap {
namespace {

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

Execution ToExecution(const Napi::Value& value) {
  const std::string text = ToText(value, "execution");
  if (text == "auto") return Execution::kAuto;
  if (text == "inline") return Execution::kInline;
  if (text == "threaded") return Execution::kThreaded;
  Refuse("execution", "auto, inline or threaded");
}

PackTarget ToPackTarget(const Napi::Value& value) {
  const std::string text = value.IsUndefined() ? "cpu" : ToText(value, "device");
  if (text == "cpu") return PackTarget::kCpu;
  if (text == "cuda" || text == "webgpu") return PackTarget::kDevice;
  Refuse("device", "cpu, cuda or webgpu");
}

void SetScheduling(RunnerOptions& options, const Napi::Object& object) {
  const Napi::Value priorities = object.Get("priorities");
  const Napi::Value max_batch = object.Get("maxBatch");
  const Napi::Value max_delay = object.Get("maxDelayMs");
  if (!priorities.IsUndefined()) options.priorities = ToCount(priorities, "priorities");
  if (!max_batch.IsUndefined()) options.max_batch = ToCount(max_batch, "maxBatch");
  if (!max_delay.IsUndefined()) options.max_delay = ToDuration(max_delay, "maxDelayMs");
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
  options.session.webgpu = ToOptionalFlag(object.Get("webgpu"), "webgpu");
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
          {.intra_op_threads = ToThreads(object.Get("intraOpThreads"), "intraOpThreads"),
           .target = ToPackTarget(object.Get("device"))}};
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

std::span<const std::byte> ToFrame(const Napi::Value& value) {
  if (!value.IsArrayBuffer()) Refuse("a frame", "an ArrayBuffer");
  auto buffer = value.As<Napi::ArrayBuffer>();
  return {static_cast<const std::byte*>(buffer.Data()), buffer.ByteLength()};
}

}  // namespace warmswap
