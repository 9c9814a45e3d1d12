#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/ort.h"

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
  /// Execution providers compiled into the library, for example "CPUExecutionProvider".
  const std::vector<std::string>& providers() const noexcept { return providers_; }
  const Ort::Env& env() const noexcept { return env_; }

 private:
  explicit OrtLibrary(const std::filesystem::path& path);

  // In this order: the version comes with the function table that `env_` needs.
  std::filesystem::path path_;
  std::string version_;
  Ort::Env env_;
  std::vector<std::string> providers_;
};

}  // namespace warmswap
