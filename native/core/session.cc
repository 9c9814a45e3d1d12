#include "core/session.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "core/bound_runs.h"
#include "core/capture_gate.h"
#include "core/error.h"
#include "core/graph_runs.h"
#include "core/thread_start.h"
#include "core/webgpu_runs.h"

namespace warmswap {
namespace {

// A session is created on a thread of low priority, which its own threads would inherit.
OrtCustomThreadHandle StartPoolThread(void* /*options*/, OrtThreadWorkerFn work, void* data) {
  try {
    auto thread = std::make_unique<std::thread>(StartThread("ws-intra-op", [=] { work(data); }));
    return reinterpret_cast<OrtCustomThreadHandle>(thread.release());
  } catch (...) {
    return nullptr;  // ONNX Runtime reports that
  }
}

void JoinPoolThread(OrtCustomThreadHandle handle) {
  // What StartPoolThread let go of.
  const std::unique_ptr<std::thread> thread(
      reinterpret_cast<std::thread*>(const_cast<OrtCustomHandleType*>(handle)));
  thread->join();
}

/// Sessions of a device are created one after the other: two at once have crashed others.
std::mutex& CreationMutex() noexcept {
  static std::mutex mutex;
  return mutex;
}

std::unique_ptr<DeviceStream> StreamFor(const SessionOptions& options) {
  if (!options.device || !options.cuda.graphs) return nullptr;
  const std::shared_lock not_while_recording(CaptureGate());
  return options.device->NewStream();
}

/// What ONNX Runtime calls an internal failure or a bad argument here is a bad model file, but for
/// a device that has run out of memory: that it tells in words only.
ErrorCode CodeOfFailedLoad(const Error& error, bool has_device) {
  constexpr std::array kNoMemory{"out of memory", "Failed to allocate memory"};
  const std::string_view text = error.what();
  const auto is_in_text = [&](const char* words) { return text.find(words) != text.npos; };
  if (has_device && std::ranges::any_of(kNoMemory, is_in_text)) {
    return ErrorCode::kResourceExhausted;
  }
  const bool is_named =
      error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kUnimplemented;
  return is_named ? error.code() : ErrorCode::kFailedPrecondition;
}

Ort::Session Create(const OrtLibrary& library, const std::filesystem::path& path,
                    const SessionOptions& options, Ort::SessionOptions& ort) {
  const LoadCancellation::Scope cancellable(*options.cancellation, library, ort);
  try {
    return Ort::Session(library.env(), path.c_str(), ort);
  } catch (const Ort::Exception&) {
    options.cancellation->ThrowIfCancelled(path.string());
    const Error error = CurrentExceptionAsError();
    throw Error(CodeOfFailedLoad(error, !options.is_on_processor()),
                "cannot load " + path.string() + ": " + error.what());
  }
}

Ort::Session CreateFor(const OrtLibrary& library, const std::filesystem::path& path,
                       const SessionOptions& options, DeviceStream* stream) {
  Ort::SessionOptions ort = ToOrt(options);
  if (options.webgpu) {
    const std::lock_guard one_at_a_time(WebGpuMutex());
    AddWebGpuProvider(ort);
    return Create(library, path, options, ort);
  }
  if (!options.device) return Create(library, path, options, ort);
  const std::lock_guard one_at_a_time(CreationMutex());
  const std::shared_lock not_while_recording(CaptureGate());
  options.device->AddProvider(ort, options.cuda, stream != nullptr ? stream->handle() : nullptr);
  return Create(library, path, options, ort);
}

std::unique_ptr<RunPath> BoundRunsFor(SessionRef session, const SessionOptions& options) {
  if (!options.device) return nullptr;
  const std::string arena = "gpu:" + std::to_string(options.cuda.device_id);
  const OrtMemoryInfo* const memory = options.cuda.binding ? options.device->host_info() : nullptr;
  return std::make_unique<BoundRuns>(session, memory, options.cuda.shrink_arena ? arena : "");
}

SessionGate GateOf(const SessionOptions& options) noexcept {
  if (options.webgpu) return SessionGate::kWebGpu;
  return options.device ? SessionGate::kCapture : SessionGate::kNone;
}

/// Optimising could make other weights of those that it is given.
bool IsDone(const SessionOptions& options) { return options.optimised || options.weights; }

std::string TypeName(ONNXType type) {
  switch (type) {
    case ONNX_TYPE_SEQUENCE:
      return "sequence";
    case ONNX_TYPE_MAP:
      return "map";
    case ONNX_TYPE_OPTIONAL:
      return "optional";
    case ONNX_TYPE_SPARSETENSOR:
      return "sparse tensor";
    default:
      return "unknown";
  }
}

TensorSpec ToSpec(const std::string& role, std::string name, const Ort::TypeInfo& info) {
  if (info.GetONNXType() != ONNX_TYPE_TENSOR) {
    throw Error(ErrorCode::kUnimplemented, role + " '" + name + "' has the type " +
                                               TypeName(info.GetONNXType()) +
                                               "; only tensors are served");
  }
  const auto tensor = info.GetTensorTypeAndShapeInfo();
  const std::optional<DataType> type = FromOrt(tensor.GetElementType());
  if (!type) {
    throw Error(ErrorCode::kUnimplemented, role + " '" + name + "' has element type " +
                                               std::to_string(tensor.GetElementType()) +
                                               " of ONNX, which is not served");
  }
  const std::vector<std::int64_t> shape = tensor.GetShape();
  std::vector<const char*> symbols(shape.size());
  tensor.GetSymbolicDimensions(symbols.data(), symbols.size());
  return {std::move(name), *type, shape, {symbols.begin(), symbols.end()}};
}

std::vector<TensorSpec> InputSpecs(const Ort::Session& session) {
  const Ort::AllocatorWithDefaultOptions allocator;
  std::vector<TensorSpec> specs;
  for (std::size_t i = 0; i < session.GetInputCount(); ++i) {
    specs.push_back(ToSpec("input", session.GetInputNameAllocated(i, allocator).get(),
                           session.GetInputTypeInfo(i)));
  }
  return specs;
}

std::vector<TensorSpec> OutputSpecs(const Ort::Session& session) {
  const Ort::AllocatorWithDefaultOptions allocator;
  std::vector<TensorSpec> specs;
  for (std::size_t i = 0; i < session.GetOutputCount(); ++i) {
    specs.push_back(ToSpec("output", session.GetOutputNameAllocated(i, allocator).get(),
                           session.GetOutputTypeInfo(i)));
  }
  return specs;
}

}  // namespace

Ort::SessionOptions ToOrt(const SessionOptions& options) {
  Ort::SessionOptions ort;
  ort.SetIntraOpNumThreads(options.intra_op_threads);
  ort.SetInterOpNumThreads(1);
  ort.SetGraphOptimizationLevel(IsDone(options) ? ORT_DISABLE_ALL : ORT_ENABLE_ALL);
  if (!options.prepacking) ort.AddConfigEntry("session.disable_prepacking", "1");
  ort.SetCustomCreateThreadFn(&StartPoolThread);
  ort.SetCustomJoinThreadFn(&JoinPoolThread);
  // OrtLibrary's allocator.
  ort.AddConfigEntry("session.use_env_allocators", "1");
  ort.AddConfigEntry("session.intra_op.allow_spinning", options.spinning ? "1" : "0");
  ort.AddConfigEntry("session.inter_op.allow_spinning", "0");
  // Weights take of a GPU's memory what they need, and all of it is back once the session has gone.
  if (options.device) {
    ort.AddConfigEntry("session.use_device_allocator_for_initializers", "1");
  }
  if (options.weights) options.weights->AddTo(ort);
  return ort;
}

Session::Session(const OrtLibrary& library, const std::filesystem::path& model_path,
                 const SessionOptions& options)
    : device_(options.device),
      weights_(options.weights),
      stream_(StreamFor(options)),
      session_(CreateFor(library, model_path, options, stream_.get()), GateOf(options)),
      inputs_(InputSpecs(session_.get())),
      outputs_(OutputSpecs(session_.get())),
      direct_runs_(ref()),
      ordinary_runs_(BoundRunsFor(ref(), options)) {
  if (options.webgpu) {
    device_runs_ = std::make_unique<WebGpuRuns>(direct_runs_);
  } else if (stream_) {
    device_runs_ = std::make_unique<GraphRuns>(ref(), *ordinary_runs_, *device_, *stream_);
  } else {
    device_runs_ = std::move(ordinary_runs_);
  }
}

}  // namespace warmswap
