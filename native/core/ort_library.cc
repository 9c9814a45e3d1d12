#include "core/ort_library.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <memory>
#include <mutex>

#include "core/error.h"

namespace warmswap {
namespace {

// The oldest C API that has all we call. The API only ever appends, so asking any newer library for
// this version works, whatever headers we were compiled with.
constexpr uint32_t kApiVersion = 21;

const OrtApiBase& OpenApiBase(const std::filesystem::path& path) {
  // The library reports usage to its maker by default; asking it to stop is possible only before it
  // starts. A user who wants that sets the variable to 0.
  setenv("ORT_DISABLE_TELEMETRY", "1", 0);
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    throw Error(ErrorCode::kFailedPrecondition,
                "cannot open the ONNX Runtime library: " + std::string(dlerror()));
  }
  using GetApiBase = const OrtApiBase* (*)();
  const auto get_api_base = reinterpret_cast<GetApiBase>(dlsym(handle, "OrtGetApiBase"));
  if (get_api_base == nullptr) {
    throw Error(ErrorCode::kFailedPrecondition,
                path.string() + " is no ONNX Runtime library: it has no OrtGetApiBase");
  }
  return *get_api_base();
}

/// Opens the library and fills in Ort's function table, which every other use of Ort needs, even
/// the destruction of an empty handle. Gives the library's version.
std::string InitApi(const std::filesystem::path& path, const OrtApiBase& base) {
  std::string version = base.GetVersionString();
  const OrtApi* api = base.GetApi(kApiVersion);
  if (api == nullptr) {
    throw Error(ErrorCode::kFailedPrecondition,
                path.string() + " is ONNX Runtime " + version + ", older than the 1.21 needed");
  }
  Ort::InitApi(api);
  return version;
}

}  // namespace

const OrtLibrary& OrtLibrary::Open(const std::filesystem::path& path) {
  static std::mutex mutex;
  // Never destroyed: see the class comment.
  static OrtLibrary* opened = nullptr;
  const std::lock_guard lock(mutex);
  if (opened == nullptr) {
    opened = std::unique_ptr<OrtLibrary>(new OrtLibrary(path, OpenApiBase(path))).release();
  } else if (opened->path_ != path) {
    throw Error(ErrorCode::kFailedPrecondition, "this process already uses ONNX Runtime from " +
                                                    opened->path_.string() + ", not " +
                                                    path.string());
  }
  return *opened;
}

// Failures reach the caller as errors; ONNX Runtime need not print them as well.
OrtLibrary::OrtLibrary(const std::filesystem::path& path, const OrtApiBase& base)
    : path_(path),
      version_(InitApi(path, base)),
      set_load_cancellation_flag_(FindSetLoadCancellationFlag(base)),
      allocator_(std::make_unique<HostAllocator>()),
      env_(ORT_LOGGING_LEVEL_FATAL, "warmswap"),
      providers_(Ort::GetAvailableProviders()) {
  allocator_->Register(env_);
}

void OrtLibrary::CancelCreation(Ort::SessionOptions& options) const noexcept {
  if (set_load_cancellation_flag_ == nullptr) return;
  const Ort::Status cannot_fail(set_load_cancellation_flag_(options, true));
}

}  // namespace warmswap
