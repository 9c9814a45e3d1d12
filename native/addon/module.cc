#include <memory>

#include "addon/errors.h"
#include "addon/instance.h"
#include "addon/model_wrap.h"
#include "addon/napi.h"
#include "addon/runtime.h"
#include "core/prompt_thread.h"
#include "core/thread_priority.h"

namespace warmswap {
namespace {

void LowerPriority(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [] { LowerPriorityOfProcess(); });
}

void ShortenTimeSlice(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [] { ShortenTimeSliceOfThisThread(); });
}

void AllowPrompt(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [] { AllowPromptThreads(true); });
}

Napi::Value IsPromptPermitted(const Napi::CallbackInfo& info) {
  return Guarded(info.Env(),
                 [&] { return Napi::Boolean::New(info.Env(), ArePromptThreadsPermitted()); });
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto instance = std::make_unique<Instance>();
  instance->model_constructor = Napi::Persistent(ModelWrap::Define(env));
  env.SetInstanceData(instance.release());  // deleted by the environment
  exports.Set("Runtime", Runtime::Define(env));
  exports.Set("lowerPriorityOfProcess", Napi::Function::New<&LowerPriority>(env));
  exports.Set("shortenTimeSlice", Napi::Function::New<&ShortenTimeSlice>(env));
  exports.Set("allowPromptThreads", Napi::Function::New<&AllowPrompt>(env));
  exports.Set("arePromptThreadsPermitted", Napi::Function::New<&IsPromptPermitted>(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)

}  // namespace warmswap
