#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "core/mapped_file.h"
#include "core/ort_library.h"
#include "core/runner.h"
#include "core/session.h"

namespace warmswap {

struct ModelOptions {
  std::filesystem::path model_path;  ///< .../<name>/<version>/model.onnx
  SessionOptions session;
  RunnerOptions runner;
  /// Called between mapping the files and creating the session.
  std::function<void()> on_mapped = [] {};
};

struct ModelMemory {
  std::size_t mapped_bytes = 0;    ///< size of the model's files, which are mapped as a whole
  std::size_t resident_bytes = 0;  ///< how much of that is in the page cache now
};

/// One loaded version: its mapped files, its session and its runner. Destruction stops the runner
/// before the session goes, and unmaps last: nothing is ever unmapped under a run.
class Model {
 public:
  /// Checks what the model refers to (CheckExternalData), maps its files and populates what a
  /// session reads of them, then creates the session. Blocks; throws as these do.
  Model(const OrtLibrary& library, const ModelOptions& options,
        std::function<void(Completion)> on_complete);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const std::vector<TensorSpec>& inputs() const noexcept { return session_.inputs(); }
  const std::vector<TensorSpec>& outputs() const noexcept { return session_.outputs(); }

  /// See Runner::Submit.
  void Submit(Request request) { runner_.Submit(std::move(request)); }
  /// See Runner::Cancel.
  void Cancel(std::uint64_t ticket) { runner_.Cancel(ticket); }
  /// See Runner::ReadStatistics.
  StatisticsSnapshot ReadStatistics() const noexcept { return runner_.ReadStatistics(); }
  /// See Runner::Stop.
  void Stop() { runner_.Stop(); }

  /// Asks the kernel page by page: milliseconds for gigabytes.
  ModelMemory Memory() const;

 private:
  // In this order: the runner goes first, the mappings last.
  std::vector<MappedFile> files_;
  Session session_;
  Runner runner_;
};

}  // namespace warmswap
