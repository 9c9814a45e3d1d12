#include "addon/runtime_core.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "addon/errors.h"
#include "addon/model_wrap.h"
#include "addon/to_js.h"
#include "core/host_memory.h"
#include "gpu/cuda_devices.h"

namespace warmswap {
namespace {

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

PackedAnswer Pack(const Reply& reply, const RunResult& result, std::size_t max_size) {
  PackedAnswer packed{std::make_unique_for_overwrite<std::byte[]>(max_size), 0};
  const std::byte* end = reply.format->Write(packed.bytes.get(), reply.msgid, result);
  packed.size = static_cast<std::size_t>(end - packed.bytes.get());
  return packed;
}

/// Longer answers leave in pieces: see src/server/outlet.ts.
constexpr std::size_t kMaxPackedBytes = 1 << 20;

/// Since the last load or unload. What others than models had from the heap meanwhile, for clients
/// that have gone, or to compile and to collect garbage, lies in pieces between what is in use.
constexpr std::chrono::seconds kAtRest{10};

/// Big answers are packed where the run ended, small ones on the page, and the biggest not at all.
Event ToEvent(Completion completion) {
  auto* result = std::get_if<RunResult>(&completion.outcome);
  if (result == nullptr) {
    return {completion.ticket, std::get<Error>(std::move(completion.outcome))};
  }
  if (completion.reply) {
    const std::size_t max_size = completion.reply->format->MaxSize(*result);
    if (max_size > kMaxPackedBytes) {
      AnswerFrame frame = completion.reply->format->Frame(completion.reply->msgid, *result);
      return {completion.ticket, AnswerInPieces{std::move(frame), std::move(*result)}};
    }
    if (max_size > AnswerPage::kMaxAnswerBytes) {
      return {completion.ticket, Pack(*completion.reply, *result, max_size)};
    }
  }
  return {completion.ticket, std::move(*result), std::move(completion.reply)};
}

std::vector<Event> ToEvents(std::vector<Completion> completions) {
  std::vector<Event> events;
  events.reserve(completions.size());
  for (Completion& completion : completions) events.push_back(ToEvent(std::move(completion)));
  return events;
}

}  // namespace

RuntimeCore::RuntimeCore(Napi::Env env, const OrtLibrary& library, Napi::Function on_events,
                         const Napi::Object& answers)
    : env_(env),
      library_(library),
      on_events_(Napi::Persistent(on_events)),
      page_(answers),
      loader_({kAtRest, &TrimSmallHeap}) {}

std::shared_ptr<RuntimeCore> RuntimeCore::Start(Napi::Env env, const OrtLibrary& library,
                                                Napi::Function on_events,
                                                const Napi::Object& answers) {
  Holder core(new RuntimeCore(env, library, on_events, answers));
  auto holder = std::make_unique<Holder>(core);
  const auto free_holder = [](Napi::Env, void*, Holder* held) {
    const std::unique_ptr<Holder> freed(held);
  };
  core->waker_ = Waker::New(env, on_events, "warmswap", 0, 1, holder.get(), free_holder);
  static_cast<void>(holder.release());  // the finalizer's from here on
  core->waker_.Unref(env);
  core->inbox_ = std::make_shared<Inbox>([waker = core->waker_] { waker.NonBlockingCall(); });
  // Hooks run in reverse order: ours before the one that takes the waker down.
  napi_add_env_cleanup_hook(env, &RuntimeCore::ShutdownHook, core.get());
  return core;
}

void RuntimeCore::Load(std::uint64_t ticket, ModelOptions options, std::optional<CudaOrder> gpu) {
  options.on_mapped = [inbox = inbox_, ticket] { inbox->Push({ticket, Mapped()}); };
  const auto forward = [inbox = inbox_](std::vector<Completion> completions) {
    inbox->PushAll(ToEvents(std::move(completions)));
  };
  const auto cancellation = options.session.cancellation;
  auto load = [&library = library_, options = std::move(options), gpu = std::move(gpu),
               forward]() mutable -> Outcome {
    // Whoever hears of the end of it may rely on shared weights being closed.
    ModelOptions used = std::move(options);
    if (gpu) UseGpu(used, *gpu, library);
    return std::make_shared<Model>(library, used, forward);
  };
  Post(ticket, std::move(load), [cancellation] { cancellation->Cancel(); });
  std::erase_if(loads_, [](const auto& known) { return known.second.expired(); });
  loads_.emplace(ticket, cancellation);
}

void RuntimeCore::CancelLoad(std::uint64_t ticket) {
  const auto known = loads_.find(ticket);
  if (known == loads_.end()) return;
  if (const auto cancellation = known->second.lock()) cancellation->Cancel();
}

void RuntimeCore::Submit(Model& model, Request request) {
  model.Submit(std::move(request));
  TicketTaken();
}

/// Packs the answer to one request, for JavaScript to send at once; an error, or an answer that is
/// too long, comes at the end of the turn.
class RuntimeCore::AloneSink final : public AnswerSink {
 public:
  explicit AloneSink(RuntimeCore& core) : core_(core) {}

  std::size_t length() const noexcept { return length_; }

  void OnResult(std::uint64_t ticket, const Reply& reply, const RunResult& result) override {
    if (reply.format->MaxSize(result) <= AnswerPage::kMaxAnswerBytes) {
      length_ = core_.page_.WriteAlone(reply, result);
    } else {
      core_.turn_events_.push_back(ToEvent({ticket, reply, result}));
    }
  }

  void OnError(std::uint64_t ticket, const Error& error) override {
    core_.turn_events_.push_back({ticket, error});
  }

 private:
  RuntimeCore& core_;
  std::size_t length_ = 0;
};

/// Packs answers on the page.
class RuntimeCore::TurnSink final : public AnswerSink {
 public:
  explicit TurnSink(RuntimeCore& core) : core_(core) {}

  void OnResult(std::uint64_t ticket, const Reply& reply, const RunResult& result) override {
    const std::size_t max_size = reply.format->MaxSize(result);
    if (max_size > AnswerPage::kMaxAnswerBytes) {
      core_.turn_events_.push_back(ToEvent({ticket, reply, result}));
    } else {
      --core_.tickets_out_;
      core_.page_.Add(ticket, reply, result, max_size);
    }
  }

  void OnError(std::uint64_t ticket, const Error& error) override {
    core_.turn_events_.push_back({ticket, error});
  }

 private:
  RuntimeCore& core_;
};

bool RuntimeCore::Accept(std::span<const std::byte> frame, std::uint64_t ticket) {
  if (!open_) return false;
  UpdatePriority();
  AloneSink sink(*this);
  const auto taken = lane_.Accept(frame, ticket, sink);
  if (!taken) return false;
  const std::size_t length =
      taken->refused ? page_.WriteAlone(taken->msgid, *taken->refused) : sink.length();
  if (length == 0) TicketTaken();
  const std::span fields = page_.accepted();
  fields[0] = static_cast<double>(taken->route);
  fields[1] = static_cast<double>(taken->msgid);
  fields[2] = static_cast<double>(length);
  fields[3] = taken->refused ? 1 : 0;
  return true;
}

Clock::time_point RuntimeCore::EndTurn() {
  if (!open_) return Clock::time_point::max();
  TurnSink sink(*this);
  lane_.EndTurn(sink);
  Deliver(std::exchange(turn_events_, {}));
  return lane_.TakeEarliestDeadline();
}

Clock::time_point RuntimeCore::Expire() {
  Clock::time_point next = Clock::time_point::max();
  for (const std::weak_ptr<Model>& known : models_) {
    if (const auto model = known.lock()) next = std::min(next, model->Expire());
  }
  return next;
}

void RuntimeCore::Post(std::uint64_t ticket, std::function<Outcome()> job,
                       std::function<void()> cancel) {
  PostTo(loader_, ticket, std::move(job), std::move(cancel));
}

void RuntimeCore::Measure(std::uint64_t ticket, const std::shared_ptr<Model>& model) {
  auto measure = [known = std::weak_ptr<Model>(model)]() -> Outcome {
    const auto held = known.lock();
    if (!held) throw Error(ErrorCode::kUnavailable, "this model is unloaded");
    return held->Memory();
  };
  PostTo(measurer_, ticket, std::move(measure), nullptr);
}

void RuntimeCore::Unload(std::uint64_t ticket, std::shared_ptr<Model> model) {
  // Measurements of it were asked for before: they have ended when this one begins. Shutdown ends
  // the wait, too, as the measurer may have dropped it.
  const auto is_unmeasured = std::make_shared<std::atomic_flag>();
  const auto let_go = [is_unmeasured] {
    is_unmeasured->test_and_set();
    is_unmeasured->notify_all();
  };
  measurer_.Post(let_go);
  auto unload = [model = std::move(model), is_unmeasured]() mutable -> Outcome {
    is_unmeasured->wait(false);
    model.reset();
    return std::monostate();
  };
  Post(ticket, std::move(unload), let_go);
}

void RuntimeCore::AskGpus(std::uint64_t ticket, std::filesystem::path driver_library) {
  auto ask = [library = std::move(driver_library)]() -> Outcome { return ReadGpus(library); };
  PostTo(measurer_, ticket, std::move(ask), nullptr);
}

void RuntimeCore::MeasureCopies(std::uint64_t ticket, int gpu,
                                std::filesystem::path driver_library) {
  auto measure = [gpu, driver = std::move(driver_library), &library = library_]() -> Outcome {
    return CudaDevices::OfProcess().Open(driver, gpu, library.blocks())->MeasureCopies();
  };
  Post(ticket, std::move(measure));
}

void RuntimeCore::ShareWeights(std::uint64_t ticket, std::filesystem::path model_path, int gpu,
                               std::filesystem::path driver_library) {
  auto share = [slabs = slabs_, path = std::move(model_path), gpu,
                driver = std::move(driver_library), &library = library_]() -> Outcome {
    return slabs->Add(path, gpu, driver, library.blocks());
  };
  Post(ticket, std::move(share));
}

void RuntimeCore::FreeWeights(std::uint64_t ticket, std::string handle) {
  Post(ticket, [slabs = slabs_, handle = std::move(handle)]() -> Outcome {
    slabs->Remove(handle);
    return std::monostate();
  });
}

void RuntimeCore::PostTo(JobThread& thread, std::uint64_t ticket, std::function<Outcome()> job,
                         std::function<void()> cancel) {
  if (!open_) throw Error(ErrorCode::kFailedPrecondition, "the runtime is closed");
  const auto report = [inbox = inbox_, ticket](const std::function<Outcome()>& todo) {
    try {
      inbox->Push({ticket, todo()});
    } catch (...) {
      inbox->Push({ticket, CurrentExceptionAsError()});
    }
  };
  thread.Post([report, job = std::move(job)] { report(job); }, std::move(cancel));
  TicketTaken();
}

void RuntimeCore::Discard(std::shared_ptr<Model> model) {
  loader_.Post([model = std::move(model)]() mutable { model.reset(); });
}

void RuntimeCore::Shutdown() {
  if (!std::exchange(open_, false)) return;
  napi_remove_env_cleanup_hook(env_, &RuntimeCore::ShutdownHook, this);
  inbox_->Close();
  loader_.Stop();
  measurer_.Stop();
  for (const std::weak_ptr<Model>& known : models_) {
    if (const auto model = known.lock()) model->Stop();
  }
  inbox_->TakeAll();
  lane_ = {};
  page_.Close();
  on_events_.Reset();
  waker_.Release();
}

void RuntimeCore::ShutdownHook(void* core) { static_cast<RuntimeCore*>(core)->Shutdown(); }

// While tickets are out the process stays alive.
void RuntimeCore::TicketTaken() {
  if (tickets_out_++ == 0) waker_.Ref(env_);
}

void RuntimeCore::Wake(Napi::Env env, Napi::Function /*on_events*/, Holder* core, void* /*data*/) {
  if (static_cast<napi_env>(env) == nullptr || !(*core)->open_) return;
  const Napi::HandleScope scope(env);
  (*core)->UpdatePriority();
  try {
    (*core)->Deliver((*core)->inbox_->TakeAll());
  } catch (const Napi::Error& error) {
    napi_fatal_exception(env, error.Value());
  }
}

void RuntimeCore::Deliver(std::vector<Event> events) {
  std::vector<Event> others;
  for (Event& event : events) {
    if (!std::holds_alternative<Mapped>(event.outcome)) --tickets_out_;
    if (event.reply) {
      const auto& result = std::get<RunResult>(event.outcome);
      page_.Add(event.ticket, *event.reply, result, event.reply->format->MaxSize(result));
    } else {
      others.push_back(std::move(event));
    }
  }
  if (tickets_out_ == 0) waker_.Unref(env_);
  page_.Deliver();
  if (others.empty()) return;
  auto array = Napi::Array::New(env_, others.size());
  for (std::uint32_t i = 0; i < others.size(); ++i) {
    const Napi::HandleScope scope(env_);
    array[i] = ToJs(std::move(others[i]));
  }
  on_events_.Call({array});
}

Napi::Object RuntimeCore::ToJs(Event event) {
  auto object = Napi::Object::New(env_);
  object.Set("ticket", static_cast<double>(event.ticket));
  const auto to_value = Overloaded{
      [&](const RunResult& result) -> Napi::Value { return FromRunResult(env_, result); },
      [&](PackedAnswer answer) -> Napi::Value {
        return LendBytes(env_, std::move(answer.bytes), answer.size);
      },
      [&](const AnswerInPieces& answer) -> Napi::Value {
        return FromAnswer(env_, answer.frame, answer.result);
      },
      [&](std::shared_ptr<Model> model) -> Napi::Value { return ToJs(std::move(model)); },
      [&](const ModelMemory& memory) -> Napi::Value { return FromMemory(env_, memory); },
      [&](const PackReport& report) -> Napi::Value { return FromPackReport(env_, report); },
      [&](const GpuReport& report) -> Napi::Value { return FromGpuReport(env_, report); },
      [&](const CopySpeed& speed) -> Napi::Value { return FromCopySpeed(env_, speed); },
      [&](const SlabReference& slab) -> Napi::Value { return FromSlab(env_, slab); },
      [&](std::monostate) -> Napi::Value { return env_.Undefined(); },
      [&](const Error& error) -> Napi::Value { throw ToJsError(env_, error); },
      [&](Mapped) -> Napi::Value { return Napi::Boolean::New(env_, true); }};
  const char* key = std::holds_alternative<Mapped>(event.outcome) ? "mapped" : "value";
  try {
    object.Set(key, Guarded(env_, [&] { return std::visit(to_value, std::move(event.outcome)); }));
  } catch (const Napi::Error& error) {
    object.Set("error", error.Value());
  }
  return object;
}

Napi::Value RuntimeCore::ToJs(std::shared_ptr<Model> model) {
  std::erase_if(models_, [](const auto& known) { return known.expired(); });
  models_.push_back(model);
  return ModelWrap::New(env_, std::move(model));
}

}  // namespace warmswap
