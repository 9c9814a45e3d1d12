#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "core/buffer_pool.h"
#include "core/execution_policy.h"
#include "core/executor.h"
#include "core/host_memory.h"
#include "core/inline_runner.h"
#include "core/mapped_file.h"
#include "core/ort_library.h"
#include "core/runner.h"
#include "core/session.h"

namespace warmswap {

/// What a pool of inputs keeps for the next requests.
inline constexpr std::size_t kMaxIdleInputBytes = std::size_t{64} << 20;

struct ModelOptions {
  std::filesystem::path model_path;  ///< .../<name>/<version>/model.onnx
  SessionOptions session;
  RunnerOptions runner;
  Execution execution = Execution::kAuto;
  /// Where the inputs of its requests lie.
  std::shared_ptr<BufferPool> buffers = BufferPool::Create(kMaxIdleInputBytes);
  /// Called between mapping the files and creating the session.
  std::function<void()> on_mapped = [] {};
};

struct ModelMemory {
  std::size_t mapped_bytes = 0;    ///< size of the model's files, which are mapped as a whole
  std::size_t resident_bytes = 0;  ///< how much of that is in the page cache now
  /// By how much the private memory of the process grew while the session was made: also what the
  /// allocator kept for later, and what other threads took meanwhile. Runs take more.
  std::uint64_t private_bytes = 0;
};

/// A version's files, mapped.
struct MappedVersion {
  std::vector<MappedFile> files;
  bool has_loops = false;  ///< see OnnxContents
};

/// One loaded version: its mapped files, its session and its runners. Destruction stops the runner
/// before the session goes, and unmaps last: nothing is ever unmapped under a run.
class Model {
 public:
  /// Checks what the model refers to (CheckExternalData), maps its files and populates what a
  /// session reads of them, then creates the session. Blocks; throws as these do, and
  /// kFailedPrecondition if it is to be batched and cannot be (RequireBatchable).
  Model(const OrtLibrary& library, const ModelOptions& options, Runner::OnComplete on_complete);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const std::vector<TensorSpec>& inputs() const noexcept { return session_.inputs(); }
  const std::vector<TensorSpec>& outputs() const noexcept { return session_.outputs(); }
  /// Requests may have the priorities 0 to `priorities` - 1.
  std::size_t priorities() const noexcept { return priorities_; }
  BufferPool& buffers() const noexcept { return *buffers_; }

  /// See Runner::Submit; wakes a runner thread, and counts what is refused.
  void Submit(Request request);
  /// The same without waking, and without counting: false where it is refused.
  bool TrySubmit(Request request);
  /// Wakes the runner threads for what TrySubmit has taken.
  void Wake() { runner_.Wake(); }
  /// See Runner::Cancel.
  void Cancel(std::uint64_t ticket) { runner_.Cancel(ticket); }

  /// Whether a request should be given to RunInline now and not to Submit.
  bool PrefersInline(const Request& request) const noexcept {
    return executor_.policy().IsInline(ByteSizeOf(request.inputs)) && runner_.is_idle();
  }
  /// Whether requests run together, so that it pays to collect some.
  bool is_batched() const noexcept { return is_batched_; }
  /// See InlineRunner. For one thread only.
  std::vector<Completion> RunInline(std::vector<Request> requests) {
    return inline_runner_.Run(std::move(requests));
  }
  Completion RunInline(Request request) { return inline_runner_.RunOne(std::move(request)); }

  /// What has happened so far.
  StatisticsSnapshot ReadStatistics() const noexcept { return executor_.ReadStatistics(); }
  /// See Runner::Stop.
  void Stop() { runner_.Stop(); }

  /// Asks the kernel page by page: milliseconds for gigabytes. Callable from any thread.
  ModelMemory Memory() const;

 private:
  // In this order: the runner goes first, the mappings last.
  const std::shared_ptr<BufferPool> buffers_;
  const std::size_t priorities_;
  const bool is_batched_;
  const MappedVersion version_;
  const std::uint64_t anonymous_before_ = AnonymousBytes();
  Session session_;
  const std::uint64_t private_bytes_;
  Executor executor_;
  InlineRunner inline_runner_;
  Runner runner_;
};

}  // namespace warmswap
