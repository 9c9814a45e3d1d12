#include "addon/cuda_from_js.h"

#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "addon/from_js.h"
#include "addon/weight_sharing.h"
#include "core/error.h"
#include "core/validate_for_device.h"
#include "gpu/cuda_devices.h"

namespace warmswap {
namespace {

template <typename Value>
using Choice = std::pair<std::string_view, Value>;

constexpr std::array<Choice<ArenaExtend>, 2> kArenaExtends{{
    {"same-as-requested", ArenaExtend::kSameAsRequested},
    {"next-power-of-two", ArenaExtend::kNextPowerOfTwo},
}};
constexpr std::array<Choice<ConvAlgorithmSearch>, 3> kConvAlgorithmSearches{{
    {"heuristic", ConvAlgorithmSearch::kHeuristic},
    {"default", ConvAlgorithmSearch::kDefault},
    {"exhaustive", ConvAlgorithmSearch::kExhaustive},
}};

constexpr std::array<Choice<WeightLoader>, 2> kLoaders{{
    {"onnxruntime", WeightLoader::kOnnxRuntime},
    {"direct", WeightLoader::kDirect},
}};

[[noreturn]] void RefuseOption(const std::string& name, const std::string& expected) {
  throw Error(ErrorCode::kInvalidArgument, "cuda." + name + " must be " + expected);
}

template <typename Value, std::size_t kCount>
void SetChoice(Value& to, const Napi::Object& object, const std::string& name,
               const std::array<Choice<Value>, kCount>& choices) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return;
  const std::string text = ToText(value, "cuda." + name);
  std::string names;
  for (const auto& [known, choice] : choices) {
    if (text == known) {
      to = choice;
      return;
    }
    names += (names.empty() ? "" : ", ") + std::string(known);
  }
  RefuseOption(name, "one of " + names);
}

void SetFlag(bool& to, const Napi::Object& object, const std::string& name) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return;
  if (!value.IsBoolean()) RefuseOption(name, "true or false");
  to = value.As<Napi::Boolean>().Value();
}

std::optional<std::uint64_t> ToBytes(const Napi::Object& object, const std::string& name) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return std::nullopt;
  return static_cast<std::uint64_t>(ToInteger(value, "cuda." + name));
}

}  // namespace

std::optional<CudaOrder> ToCudaOrder(const Napi::Value& value) {
  if (value.IsUndefined()) return std::nullopt;
  if (!value.IsObject()) throw Error(ErrorCode::kInvalidArgument, "cuda must be an object");
  const auto object = value.As<Napi::Object>();
  CudaOrder order{ToDriverLibrary(object.Get("driverLibrary")), {}};
  order.options.device_id = ToDeviceId(object.Get("deviceId"));
  order.options.memory_limit = ToBytes(object, "memoryLimitBytes");
  SetChoice(order.options.arena_extend, object, "arenaExtend", kArenaExtends);
  SetChoice(order.options.conv_algorithm_search, object, "convAlgorithmSearch",
            kConvAlgorithmSearches);
  SetChoice(order.options.loader, object, "loader", kLoaders);
  SetFlag(order.options.tf32, object, "tf32");
  SetFlag(order.options.graphs, object, "graphs");
  SetFlag(order.options.binding, object, "binding");
  SetFlag(order.options.shrink_arena, object, "shrinkArena");
  const Napi::Value weights = object.Get("weights");
  if (!weights.IsUndefined()) order.weights = ToSlab(weights);
  order.reserve_bytes = ToBytes(object, "reserveBytes").value_or(0);
  return order;
}

int ToDeviceId(const Napi::Value& value) {
  const std::int64_t id = ToInteger(value, "deviceId");
  if (id > std::numeric_limits<int>::max()) RefuseOption("deviceId", "the number of a GPU");
  return static_cast<int>(id);
}

std::filesystem::path ToDriverLibrary(const Napi::Value& value) {
  return value.IsUndefined() ? CudaDriver::kLibrary : ToText(value, "driverLibrary");
}

void UseGpu(ModelOptions& options, const CudaOrder& order, const OrtLibrary& library) {
  options.session.cuda = order.options;
  ValidateForDevice(options);
  const auto device = CudaDevices::OfProcess().Open(order.driver_library, order.options.device_id,
                                                    library.blocks());
  options.session.device = device;
  options.device_reserve_bytes = order.reserve_bytes;
  if (!order.weights) return;
  options.session.weights = OpenSharedWeights(
      device->context(), *order.weights, WeightPlan(options.model_path), device->device_info());
}

}  // namespace warmswap
