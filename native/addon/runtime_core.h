#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "addon/answer_page.h"
#include "addon/cuda_from_js.h"
#include "addon/gpu_report.h"
#include "addon/napi.h"
#include "addon/weight_sharing.h"
#include "core/answer_format.h"
#include "core/artifact_packer.h"
#include "core/completion_queue.h"
#include "core/infer_lane.h"
#include "core/job_thread.h"
#include "core/model.h"
#include "core/prompt_thread.h"
#include "gpu/copy_speed.h"

namespace warmswap {

/// A model that is being loaded is mapped; its ticket is still out.
struct Mapped {};

/// An answer that is ready to be sent, too big for the page.
struct PackedAnswer {
  std::unique_ptr<std::byte[]> bytes;
  std::size_t size;
};

/// An answer that is too big to be copied together.
struct AnswerInPieces {
  AnswerFrame frame;
  RunResult result;
};

/// What a ticket comes back with: a finished run, its answer, a loaded model, the memory that one
/// takes, how a model was packed, the GPUs, weights to share, nothing, or why it failed. Mapped
/// comes before.
using Outcome =
    std::variant<RunResult, PackedAnswer, AnswerInPieces, std::shared_ptr<Model>, ModelMemory,
                 PackReport, GpuReport, CopySpeed, SlabReference, std::monostate, Error, Mapped>;

struct Event {
  std::uint64_t ticket;
  Outcome outcome;
  std::optional<Reply> reply = std::nullopt;  ///< how to pack a RunResult
};

/// The native side of one JavaScript environment: its loader thread, the one that measures,
/// the lane by which requests come in as frames, and the inbox by which finished work reaches its
/// JavaScript thread. Shared by the wrappers and by the waker. Methods are for the JavaScript
/// thread and none but Shutdown waits.
class RuntimeCore {
 public:
  /// `on_events` gets `[{ ticket, value } | { ticket, error } | { ticket, mapped: true }]`: all
  /// that has happened since the last call but for the answers, which `answers` gets (AnswerPage).
  static std::shared_ptr<RuntimeCore> Start(Napi::Env env, const OrtLibrary& library,
                                            Napi::Function on_events, const Napi::Object& answers);
  RuntimeCore(const RuntimeCore&) = delete;
  RuntimeCore& operator=(const RuntimeCore&) = delete;
  ~RuntimeCore() = default;

  const OrtLibrary& library() const noexcept { return library_; }

  /// `gpu` is what the model is to run on, if not on the processor.
  void Load(std::uint64_t ticket, ModelOptions options, std::optional<CudaOrder> gpu);
  /// Makes a load come back soon, as kCancelled. Ignores what is not out, or not a load.
  void CancelLoad(std::uint64_t ticket);
  void Submit(Model& model, Request request);
  /// Does `job` on the loader thread; what it returns or throws comes back with the ticket.
  /// `cancel` makes it end early.
  void Post(std::uint64_t ticket, std::function<Outcome()> job,
            std::function<void()> cancel = nullptr);
  /// The model's memory comes back, however long a load takes: it is measured on a thread for that.
  void Measure(std::uint64_t ticket, const std::shared_ptr<Model>& model);
  /// Nothing comes back, once the model has gone with all that it had open: not before what
  /// measures it has ended. `model` must be the last reference but for those.
  void Unload(std::uint64_t ticket, std::shared_ptr<Model> model);
  /// What the driver shows comes back, also while a load runs.
  void AskGpus(std::uint64_t ticket, std::filesystem::path driver_library);
  /// The speed of copies comes back; see MeasureCopySpeed.
  void MeasureCopies(std::uint64_t ticket, int gpu, std::filesystem::path driver_library);
  /// A slab of the model's weights comes back; see Slabs.
  void ShareWeights(std::uint64_t ticket, std::filesystem::path model_path, int gpu,
                    std::filesystem::path driver_library);
  /// Frees it, by its handle in hexadecimal; nothing comes back.
  void FreeWeights(std::uint64_t ticket, std::string handle);
  /// Destroys a model on the loader thread, or here once shut down: then its threads have ended.
  void Discard(std::shared_ptr<Model> model);

  void SetRoutes(RouteTable routes) { lane_.SetRoutes(std::move(routes)); }
  /// See InferLane::Accept. Where it is true, `accepted` of the answers has the index of the route,
  /// the msgid, the length of the answer at the page's beginning, or 0 where that comes later, and
  /// 1 if it is an error.
  bool Accept(std::span<const std::byte> frame, std::uint64_t ticket);
  /// Ends a turn of the event loop: see InferLane::EndTurn. Delivers what it completed at once.
  /// Gives the earliest deadline of what was queued in the turn.
  Clock::time_point EndTurn();
  /// Ends the requests that have waited beyond their deadlines. Gives a time that is not later than
  /// the deadlines of those that still wait.
  Clock::time_point Expire();

  /// To be called often while the JavaScript thread is at work: see PromptThread. Accept and Wake
  /// call it.
  void UpdatePriority() noexcept { event_loop_.UpdatePriority(); }

  /// Ends all threads: cancels a load that runs, ends runs between two nodes. Tickets that are
  /// still out never come back. Idempotent.
  void Shutdown();

 private:
  using Inbox = CompletionQueue<Event>;
  using Holder = std::shared_ptr<RuntimeCore>;
  static void Wake(Napi::Env env, Napi::Function on_events, Holder* core, void* data);
  using Waker = Napi::TypedThreadSafeFunction<Holder, void, &RuntimeCore::Wake>;

  RuntimeCore(Napi::Env env, const OrtLibrary& library, Napi::Function on_events,
              const Napi::Object& answers);

  void PostTo(JobThread& thread, std::uint64_t ticket, std::function<Outcome()> job,
              std::function<void()> cancel);
  class AloneSink;
  class TurnSink;
  void TicketTaken();
  void Deliver(std::vector<Event> events);
  Napi::Object ToJs(Event event);
  Napi::Value ToJs(std::shared_ptr<Model> model);
  static void ShutdownHook(void* core);

  PromptThread event_loop_{PromptThread::Role::kEventLoop};
  const Napi::Env env_;
  const OrtLibrary& library_;
  Napi::FunctionReference on_events_;
  AnswerPage page_;
  Waker waker_;
  // Native threads hold the inbox, not this object: it must not be destroyed on its own loader.
  std::shared_ptr<Inbox> inbox_;
  const std::shared_ptr<Slabs> slabs_ = std::make_shared<Slabs>();
  JobThread loader_;
  JobThread measurer_;
  InferLane lane_;
  std::vector<Event> turn_events_;  // what EndTurn delivers beside what it completes
  std::map<std::uint64_t, std::weak_ptr<LoadCancellation>> loads_;
  std::vector<std::weak_ptr<Model>> models_;
  std::size_t tickets_out_ = 0;
  bool open_ = true;
};

}  // namespace warmswap
