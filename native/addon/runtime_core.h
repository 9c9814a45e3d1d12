#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "addon/napi.h"
#include "core/artifact_packer.h"
#include "core/completion_queue.h"
#include "core/job_thread.h"
#include "core/model.h"

namespace warmswap {

/// A model that is being loaded is mapped; its ticket is still out.
struct Mapped {};

/// What a ticket comes back with: a finished run, a loaded model, the memory that one takes, how a
/// model was packed, nothing, or why it failed. Mapped comes before.
using Outcome = std::variant<RunResult, std::shared_ptr<Model>, ModelMemory, PackReport,
                             std::monostate, Error, Mapped>;

struct Event {
  std::uint64_t ticket;
  Outcome outcome;
};

/// The native side of one JavaScript environment: its loader thread, and the inbox by which
/// finished work reaches its JavaScript thread. Shared by the wrappers and by the waker. Methods
/// are for the JavaScript thread and none but Shutdown waits.
class RuntimeCore {
 public:
  /// `on_events` gets `[{ ticket, value } | { ticket, error } | { ticket, mapped: true }]`: all
  /// that has happened since the last call.
  static std::shared_ptr<RuntimeCore> Start(Napi::Env env, const OrtLibrary& library,
                                            Napi::Function on_events);
  RuntimeCore(const RuntimeCore&) = delete;
  RuntimeCore& operator=(const RuntimeCore&) = delete;
  ~RuntimeCore() = default;

  const OrtLibrary& library() const noexcept { return library_; }

  void Load(std::uint64_t ticket, ModelOptions options);
  void Submit(Model& model, Request request);
  /// Does `job` on the loader thread; what it returns or throws comes back with the ticket.
  void Post(std::uint64_t ticket, std::function<Outcome()> job);
  /// Destroys a model on the loader thread, or here once shut down: then its threads have ended.
  void Discard(std::shared_ptr<Model> model);

  /// Ends all threads: waits for a load that runs, ends runs between two nodes. Tickets that are
  /// still out never come back. Idempotent.
  void Shutdown();

 private:
  using Inbox = CompletionQueue<Event>;
  using Holder = std::shared_ptr<RuntimeCore>;
  static void Wake(Napi::Env env, Napi::Function on_events, Holder* core, void* data);
  using Waker = Napi::TypedThreadSafeFunction<Holder, void, &RuntimeCore::Wake>;

  RuntimeCore(Napi::Env env, const OrtLibrary& library) : env_(env), library_(library) {}

  void TicketTaken();
  void DeliverEvents(Napi::Function on_events);
  Napi::Object ToJs(Event event);
  Napi::Value ToJs(std::shared_ptr<Model> model);
  static void ShutdownHook(void* core);

  const Napi::Env env_;
  const OrtLibrary& library_;
  Waker waker_;
  // Native threads hold the inbox, not this object: it must not be destroyed on its own loader.
  std::shared_ptr<Inbox> inbox_;
  JobThread loader_;
  std::vector<std::weak_ptr<Model>> models_;
  std::size_t tickets_out_ = 0;
  bool open_ = true;
};

}  // namespace warmswap
