#include "addon/runtime.h"

#include <utility>

#include "addon/convert.h"
#include "addon/errors.h"
#include "addon/instance.h"

namespace warmswap {

Napi::Function Runtime::Define(Napi::Env env) {
  return DefineClass(
      env, "Runtime",
      {InstanceMethod<&Runtime::Load>("load"), InstanceMethod<&Runtime::Pack>("pack"),
       InstanceMethod<&Runtime::Close>("close"), InstanceAccessor<&Runtime::Version>("version"),
       InstanceAccessor<&Runtime::Providers>("providers")});
}

Runtime::Runtime(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Guarded(info.Env(), [&] {
    if (!info[0].IsString() || !info[1].IsFunction()) {
      throw Error(ErrorCode::kInvalidArgument, "usage: new Runtime(libraryPath, onEvents)");
    }
    Instance* instance = info.Env().GetInstanceData<Instance>();
    if (!instance->runtime.expired()) {
      throw Error(ErrorCode::kFailedPrecondition, "this environment has a runtime already");
    }
    const OrtLibrary& library = OrtLibrary::Open(info[0].As<Napi::String>().Utf8Value());
    core_ = RuntimeCore::Start(info.Env(), library, info[1].As<Napi::Function>());
    instance->runtime = core_;
  });
}

Runtime::~Runtime() {
  if (core_) core_->Shutdown();
}

void Runtime::Load(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] { core_->Load(ToTicket(info[0]), ToModelOptions(info[1])); });
}

void Runtime::Pack(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] {
    const std::uint64_t ticket = ToTicket(info[0]);
    core_->Post(ticket, [&library = core_->library(), order = ToPackOrder(info[1])]() -> Outcome {
      return PackArtifact(library, order.source_path, order.output_directory, order.options);
    });
  });
}

void Runtime::Close(const Napi::CallbackInfo& /*info*/) { core_->Shutdown(); }

Napi::Value Runtime::Version(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), core_->library().version());
}

Napi::Value Runtime::Providers(const Napi::CallbackInfo& info) {
  return FromStrings(info.Env(), core_->library().providers());
}

}  // namespace warmswap
