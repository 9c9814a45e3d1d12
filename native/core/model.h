#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/execution_policy.h"
#include "core/executor.h"
#include "core/host_memory.h"
#include "core/inline_runner.h"
#include "core/load_cancellation.h"
#include "core/ort_library.h"
#include "core/prompt_thread.h"
#include "core/runner.h"
#include "core/session.h"
#include "core/version_files.h"

namespace warmswap {

struct ModelOptions {
  std::filesystem::path model_path;  ///< .../<name>/<version>/model.onnx
  SessionOptions session;
  RunnerOptions runner;
  Execution execution = Execution::kAuto;
  /// Memory that has to be available, in bytes; 0 for an estimate from the weights.
  std::uint64_t reserve_bytes = 0;
  /// The same of the memory of `session.device`.
  std::uint64_t device_reserve_bytes = 0;
  /// Called between mapping the files and creating the session.
  std::function<void()> on_mapped = [] {};
};

struct ModelMemory : MappedMemory {
  /// By how much the private memory of the process grew while the session was made: also what other
  /// threads took meanwhile. Runs take more.
  std::uint64_t private_bytes = 0;
  /// The same of the device's memory, which also other processes take; none without a device.
  std::optional<std::uint64_t> device_bytes = std::nullopt;
};

/// One loaded version: its mapped files, its session and its runners. Destruction stops the runner
/// before the session goes, and unmaps last: nothing is ever unmapped under a run.
class Model {
 public:
  /// Checks what the model refers to (CheckExternalData), maps its files and populates what a
  /// session reads of them, then creates the session. Blocks; throws as these do,
  /// kFailedPrecondition if it is to be batched and cannot be (RequireBatchable),
  /// kResourceExhausted if loading would take more memory than there is, of the host or of the
  /// device, kInvalidArgument for options that exclude each other, as LoadShared where weights are
  /// given, or kCancelled soon after `options.session.cancellation` was.
  Model(const OrtLibrary& library, const ModelOptions& options, Runner::OnComplete on_complete);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const std::vector<TensorSpec>& inputs() const noexcept { return inputs_; }
  const std::vector<TensorSpec>& outputs() const noexcept { return outputs_; }
  /// Requests may have the priorities 0 to `priorities` - 1.
  std::size_t priorities() const noexcept { return options_.runner.priorities; }
  /// Where the inputs of its requests lie.
  MemoryPool& blocks() const noexcept {
    const std::shared_ptr<Device>& device = options_.session.device;
    return device ? device->host_memory() : at_end_.library.blocks();
  }

  /// See Runner::Submit; wakes a runner thread, and counts what is refused.
  void Submit(Request request);
  /// The same without waking, and without counting: false where it is refused.
  bool TrySubmit(Request request);
  /// See Runner::RefusalOf; counts it as refused.
  std::optional<Error> Refuse(std::optional<std::size_t> priority);
  /// See Runner::Expire.
  Clock::time_point Expire() { return runner_.Expire(); }
  /// Wakes the runner threads for what TrySubmit has taken.
  void Wake() { runner_.Wake(); }
  /// See Runner::Cancel.
  void Cancel(std::uint64_t ticket) { runner_.Cancel(ticket); }

  /// Whether a request whose inputs have so many bytes should be given to RunInline now and not to
  /// Submit. For the thread that calls RunInline, behind its UpdatePriority.
  bool PrefersInline(std::size_t input_bytes) noexcept;
  /// Whether requests run together, so that it pays to collect some.
  bool is_batched() const noexcept { return options_.runner.max_batch > 1; }
  std::size_t max_batch() const noexcept { return options_.runner.max_batch; }
  /// Where the inputs of requests that run inline lie; it outlives the model.
  MemoryPool& host_blocks() const noexcept { return at_end_.library.blocks(); }
  /// See InlineRunner. For one thread only.
  void RunInline(GatheredBatch& batch, Clock::time_point now, AnswerSink& sink) {
    inline_runner_.Run(batch, now, sink);
  }

  /// What has happened so far.
  StatisticsSnapshot ReadStatistics() const noexcept { return executor_.ReadStatistics(); }
  /// See Runner::Stop; also ends prepacking.
  void Stop();

  /// For a model that was loaded without prepacking: makes a session with it, runs that, and lets
  /// all requests from then on use it. Blocks for as long as loading with prepacking does; throws
  /// as that does. For the loader thread.
  void Prepack();
  /// Makes Prepack throw kCancelled soon, also one that has not begun.
  void CancelPrepacking() { prepacking_->Cancel(); }

  std::size_t mapped_bytes() const noexcept { return files_.mapped_bytes(); }
  /// Asks the kernel page by page: milliseconds for gigabytes.
  ModelMemory Memory() const { return {files_.Memory(), private_bytes_, device_bytes_}; }

 private:
  struct ReleaseMemoryAtEnd {
    const OrtLibrary& library;
    ~ReleaseMemoryAtEnd() { library.ReleaseUnusedMemory(); }
  };

  /// Of ONNX Runtime, for which the one that runs may wait by spinning.
  bool runs_have_threads() const noexcept { return options_.session.intra_op_threads > 1; }
  /// For those, or for a GPU.
  bool runners_may_spin() const noexcept {
    return runs_have_threads() || !options_.session.is_on_processor();
  }

  // In this order: the runner goes first, the mappings and what they freed last.
  ReleaseMemoryAtEnd at_end_;
  const ModelOptions options_;
  const std::shared_ptr<LoadCancellation> prepacking_ = std::make_shared<LoadCancellation>();
  VersionFiles files_;
  const std::uint64_t anonymous_before_ = AnonymousBytes();
  const std::optional<std::uint64_t> device_free_before_;
  std::shared_ptr<Session> first_session_;  // the executor's, once that is there
  const std::vector<TensorSpec> inputs_;
  const std::vector<TensorSpec> outputs_;
  const std::uint64_t private_bytes_;
  const std::optional<std::uint64_t> device_bytes_;
  Executor executor_;
  std::optional<SpinWait> runners_wait_;
  std::optional<SpinWait> event_loop_waits_;  // once it has wanted to run inline
  InlineRunner inline_runner_;
  Runner runner_;
};

}  // namespace warmswap
