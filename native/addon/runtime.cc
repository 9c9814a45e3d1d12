#include "addon/runtime.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "addon/cuda_from_js.h"
#include "addon/errors.h"
#include "addon/from_js.h"
#include "addon/instance.h"
#include "addon/routes.h"
#include "addon/to_js.h"

namespace warmswap {
namespace {

constexpr double kNoDeadline = -1;

/// Milliseconds from now, 0 for what has passed.
Napi::Value FromDeadline(Napi::Env env, Clock::time_point deadline) {
  if (deadline == Clock::time_point::max()) return Napi::Number::New(env, kNoDeadline);
  const std::chrono::duration<double, std::milli> left = deadline - Clock::now();
  return Napi::Number::New(env, std::max(0.0, left.count()));
}

using Holder = std::shared_ptr<RuntimeCore>;

// accept(frame, ticket)
Napi::Value Accept(const Napi::CallbackInfo& info) {
  return Guarded(info.Env(), [&] {
    RuntimeCore& core = **static_cast<Holder*>(info.Data());
    const bool is_accepted = core.Accept(ToFrame(info[0]), ToTicket(info[1]));
    return Napi::Boolean::New(info.Env(), is_accepted);
  });
}

/// `accept` as a function that knows its runtime: Node-API looks up a property to find that by
/// `this`, for each request.
Napi::Function AcceptOf(Napi::Env env, const Holder& core) {
  auto holder = std::make_unique<Holder>(core);
  auto accept = Napi::Function::New<&Accept>(env, "accept", holder.get());
  accept.AddFinalizer([](Napi::Env, Holder* held) { const std::unique_ptr<Holder> freed(held); },
                      holder.get());
  static_cast<void>(holder.release());  // the finalizer's from here on
  return accept;
}

}  // namespace

Napi::Function Runtime::Define(Napi::Env env) {
  return DefineClass(
      env, "Runtime",
      {InstanceMethod<&Runtime::Load>("load"), InstanceMethod<&Runtime::CancelLoad>("cancelLoad"),
       InstanceMethod<&Runtime::Pack>("pack"), InstanceMethod<&Runtime::Gpus>("gpus"),
       InstanceMethod<&Runtime::MeasureCopies>("measureCopies"),
       InstanceMethod<&Runtime::ShareWeights>("shareWeights"),
       InstanceMethod<&Runtime::FreeWeights>("freeWeights"),
       InstanceMethod<&Runtime::SetRoutes>("setRoutes"),
       InstanceMethod<&Runtime::EndTurn>("endTurn"), InstanceMethod<&Runtime::Expire>("expire"),
       InstanceMethod<&Runtime::UpdatePriority>("updatePriority"),
       InstanceMethod<&Runtime::Close>("close"), InstanceAccessor<&Runtime::Version>("version"),
       InstanceAccessor<&Runtime::BuildInfo>("buildInfo"),
       InstanceAccessor<&Runtime::Providers>("providers")});
}

Runtime::Runtime(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Guarded(info.Env(), [&] {
    if (!info[0].IsString() || !info[1].IsFunction() || !info[2].IsObject()) {
      throw Error(ErrorCode::kInvalidArgument,
                  "usage: new Runtime(libraryPath, onEvents, answers)");
    }
    Instance* instance = info.Env().GetInstanceData<Instance>();
    if (!instance->runtime.expired()) {
      throw Error(ErrorCode::kFailedPrecondition, "this environment has a runtime already");
    }
    const OrtLibrary& library = OrtLibrary::Open(info[0].As<Napi::String>().Utf8Value());
    core_ = RuntimeCore::Start(info.Env(), library, info[1].As<Napi::Function>(),
                               info[2].As<Napi::Object>());
    instance->runtime = core_;
    info.This().As<Napi::Object>().Set("accept", AcceptOf(info.Env(), core_));
  });
}

Runtime::~Runtime() {
  if (core_) core_->Shutdown();
}

void Runtime::Load(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] {
    ModelOptions options = ToModelOptions(info[1]);
    core_->Load(ToTicket(info[0]), std::move(options),
                ToCudaOrder(info[1].As<Napi::Object>().Get("cuda")));
  });
}

void Runtime::CancelLoad(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] { core_->CancelLoad(ToTicket(info[0])); });
}

void Runtime::Pack(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] {
    const std::uint64_t ticket = ToTicket(info[0]);
    core_->Post(ticket, [&library = core_->library(), order = ToPackOrder(info[1])]() -> Outcome {
      return PackArtifact(library, order.source_path, order.output_directory, order.options);
    });
  });
}

// gpus(ticket, driverLibrary)
void Runtime::Gpus(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] { core_->AskGpus(ToTicket(info[0]), ToDriverLibrary(info[1])); });
}

// measureCopies(ticket, deviceId, driverLibrary)
void Runtime::MeasureCopies(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] {
    core_->MeasureCopies(ToTicket(info[0]), ToDeviceId(info[1]), ToDriverLibrary(info[2]));
  });
}

// shareWeights(ticket, modelPath, deviceId, driverLibrary)
void Runtime::ShareWeights(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] {
    core_->ShareWeights(ToTicket(info[0]), ToText(info[1], "modelPath"), ToDeviceId(info[2]),
                        ToDriverLibrary(info[3]));
  });
}

// freeWeights(ticket, handle)
void Runtime::FreeWeights(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] { core_->FreeWeights(ToTicket(info[0]), ToText(info[1], "handle")); });
}

void Runtime::SetRoutes(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] { core_->SetRoutes(RouteTable(ToRoutes(info[0]))); });
}

Napi::Value Runtime::EndTurn(const Napi::CallbackInfo& info) {
  return Guarded(info.Env(), [&] { return FromDeadline(info.Env(), core_->EndTurn()); });
}

Napi::Value Runtime::Expire(const Napi::CallbackInfo& info) {
  return Guarded(info.Env(), [&] { return FromDeadline(info.Env(), core_->Expire()); });
}

void Runtime::UpdatePriority(const Napi::CallbackInfo& /*info*/) { core_->UpdatePriority(); }

void Runtime::Close(const Napi::CallbackInfo& /*info*/) { core_->Shutdown(); }

Napi::Value Runtime::Version(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), core_->library().version());
}

Napi::Value Runtime::BuildInfo(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), OrtLibrary::build_info());
}

Napi::Value Runtime::Providers(const Napi::CallbackInfo& info) {
  return FromStrings(info.Env(), core_->library().providers());
}

}  // namespace warmswap
