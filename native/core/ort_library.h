#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/host_allocator.h"
#include "core/ort.h"
#include "core/ort_api22.h"

namespace warmswap {

/// The ONNX Runtime of this process: the opened library and its one environment.
///
/// Opened once and kept to the end of the process: ONNX Runtime has process-wide state, and threads
/// of sessions may outlive static destruction. All members are safe to call from any thread.
class OrtLibrary {
 public:
  /// Opens `path` (a libonnxruntime) or gives the already opened library.
  /// Throws kFailedPrecondition if the file cannot be opened, is too old, or if another library
  /// has been opened in this process before.
  static const OrtLibrary& Open(const std::filesystem::path& path);

  OrtLibrary(const OrtLibrary&) = delete;
  OrtLibrary& operator=(const OrtLibrary&) = delete;

  const std::string& version() const noexcept { return version_; }
  /// What tells builds of one version apart: commit, flags.
  static std::string build_info() { return Ort::GetBuildInfoString(); }
  /// Execution providers compiled into the library, for example "CPUExecutionProvider".
  const std::vector<std::string>& providers() const noexcept { return providers_; }
  const Ort::Env& env() const noexcept { return env_; }

  /// Makes a session that is being created with `options` on another thread give up. Does nothing
  /// with ONNX Runtime before 1.22.
  void CancelCreation(Ort::SessionOptions& options) const noexcept;

  /// Where ONNX Runtime's memory comes from, and that of the inputs.
  BlockPool& blocks() const noexcept { return allocator_->blocks(); }

  /// Gives memory that no session uses back to the system: what is kept for the next tensor, and
  /// what is free in the heap. Takes milliseconds.
  void ReleaseUnusedMemory() const noexcept { allocator_->ReleaseUnused(); }

 private:
  OrtLibrary(const std::filesystem::path& path, const OrtApiBase& base);

  // In this order: the version comes with the function table that `env_` needs.
  std::filesystem::path path_;
  std::string version_;
  OrtSetLoadCancellationFlag set_load_cancellation_flag_;
  std::unique_ptr<HostAllocator> allocator_;
  Ort::Env env_;
  std::vector<std::string> providers_;
};

}  // namespace warmswap
