#include "core/session.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/thread_start.h"

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

Ort::Session Create(const OrtLibrary& library, const std::filesystem::path& path,
                    const SessionOptions& options) {
  Ort::SessionOptions ort = ToOrt(options);
  const LoadCancellation::Scope cancellable(*options.cancellation, library, ort);
  try {
    return Ort::Session(library.env(), path.c_str(), ort);
  } catch (const Ort::Exception&) {
    options.cancellation->ThrowIfCancelled(path.string());
    const Error error = CurrentExceptionAsError();
    // What ONNX Runtime calls an internal failure or a bad argument here is a bad model file.
    const bool is_named =
        error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kUnimplemented;
    throw Error(is_named ? error.code() : ErrorCode::kFailedPrecondition,
                "cannot load " + path.string() + ": " + error.what());
  }
}

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
  ort.SetGraphOptimizationLevel(options.optimised ? ORT_DISABLE_ALL : ORT_ENABLE_ALL);
  if (!options.prepacking) ort.AddConfigEntry("session.disable_prepacking", "1");
  ort.SetCustomCreateThreadFn(&StartPoolThread);
  ort.SetCustomJoinThreadFn(&JoinPoolThread);
  // OrtLibrary's allocator.
  ort.AddConfigEntry("session.use_env_allocators", "1");
  ort.AddConfigEntry("session.intra_op.allow_spinning", options.spinning ? "1" : "0");
  ort.AddConfigEntry("session.inter_op.allow_spinning", "0");
  return ort;
}

Session::Session(const OrtLibrary& library, const std::filesystem::path& model_path,
                 const SessionOptions& options)
    : session_(Create(library, model_path, options)),
      inputs_(InputSpecs(session_)),
      outputs_(OutputSpecs(session_)) {}

std::vector<Ort::Value> Session::Run(const Ort::RunOptions& options,
                                     std::span<const Ort::Value> inputs,
                                     std::span<const std::size_t> outputs) {
  std::vector<const char*> names;
  names.reserve(inputs_.size() + outputs.size());
  for (const TensorSpec& spec : inputs_) names.push_back(spec.name.c_str());
  for (const std::size_t index : outputs) names.push_back(outputs_.at(index).name.c_str());
  return session_.Run(options, names.data(), inputs.data(), inputs.size(),
                      names.data() + inputs_.size(), outputs.size());
}

}  // namespace warmswap
