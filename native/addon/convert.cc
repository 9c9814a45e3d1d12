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
constexpr double kMaxInteger = 9007199254740991.0;  // 2^53 - 1
constexpr double kMaxDeadlineMs = 1e10;             // about four months

[[noreturn]] void Refuse(const std::string& what, const std::string& expected) {
  throw Error(ErrorCode::kInvalidArgument, what + " must be " + expected);
}

std::int64_t ToInteger(const Napi::Value& value, const std::string& what) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= kMaxInteger) || std::trunc(number) != number) {
    Refuse(what, "an integer of 0 to 2^53 - 1");
  }
  return static_cast<std::int64_t>(number);
}

int ToThreads(const Napi::Value& value, const std::string& what) {
  const std::int64_t threads = ToInteger(value, what);
  if (threads < 1 || threads > kMaxThreads) Refuse(what, "1 to 1024");
  return static_cast<int>(threads);
}

Napi::Array ToArray(const Napi::Value& value, const std::string& what) {
  if (!value.IsArray()) Refuse(what, "an array");
  return value.As<Napi::Array>();
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

Napi::Value LendBytes(Napi::Env env, Ort::Value value, std::size_t size) {
  auto owner = std::make_unique<Ort::Value>(std::move(value));
  void* data = owner->GetTensorMutableRawData();
  const auto free_owner = [](Napi::Env, void*, Ort::Value* held) {
    const std::unique_ptr<Ort::Value> freed(held);
  };
  auto buffer = Napi::ArrayBuffer::New(env, data, size, free_owner, owner.get());
  static_cast<void>(owner.release());  // the finalizer's from here on
  return Napi::Uint8Array::New(env, size, buffer, 0);
}

Napi::Value FromStringTensor(Napi::Env env, const Ort::Value& value) {
  const std::vector<std::string> strings = StringElements(value);
  auto array = Napi::Array::New(env, strings.size());
  for (std::uint32_t i = 0; i < strings.size(); ++i) {
    array[i] = CopyBytes(env, strings[i].data(), strings[i].size());
  }
  return array;
}

Napi::Value FromTensorData(Napi::Env env, Ort::Value value, DataType type, std::size_t count) {
  if (type == DataType::kBytes) return FromStringTensor(env, value);
  const std::size_t size = count * ElementSize(type);
  if (size >= kExternalBytes) return LendBytes(env, std::move(value), size);
  return CopyBytes(env, value.GetTensorRawData(), size);
}

double Microseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

}  // namespace

ModelOptions ToModelOptions(const Napi::Value& value) {
  if (!value.IsObject()) Refuse("the model's options", "an object");
  const auto object = value.As<Napi::Object>();
  const Napi::Value path = object.Get("modelPath");
  if (!path.IsString()) Refuse("modelPath", "a string");
  ModelOptions options;
  options.model_path = path.As<Napi::String>().Utf8Value();
  options.session.intra_op_threads = ToThreads(object.Get("intraOpThreads"), "intraOpThreads");
  options.runner.threads =
      static_cast<std::size_t>(ToThreads(object.Get("runnerThreads"), "runnerThreads"));
  options.runner.queue_capacity =
      static_cast<std::size_t>(ToInteger(object.Get("queueCapacity"), "queueCapacity"));
  return options;
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
  const double ms = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(ms >= 0 && ms <= kMaxDeadlineMs)) Refuse("a deadline", "milliseconds of 0 to 1e10");
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(ms));
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

Napi::Object FromRunResult(Napi::Env env, RunResult result) {
  const std::size_t count = result.outputs.size();
  auto datatypes = Napi::Array::New(env, count);
  auto shapes = Napi::Array::New(env, count);
  auto data = Napi::Array::New(env, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto info = result.outputs[i].GetTensorTypeAndShapeInfo();
    const DataType type = FromOrt(info.GetElementType()).value();
    datatypes[i] = static_cast<double>(type);
    shapes[i] = FromNumbers(env, info.GetShape());
    data[i] = FromTensorData(env, std::move(result.outputs[i]), type, info.GetElementCount());
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

Napi::Object FromMemory(Napi::Env env, const ModelMemory& memory) {
  auto object = Napi::Object::New(env);
  object.Set("mappedBytes", static_cast<double>(memory.mapped_bytes));
  object.Set("residentBytes", static_cast<double>(memory.resident_bytes));
  return object;
}

}  // namespace warmswap
