#pragma once

#include <memory>

#include "addon/napi.h"
#include "addon/runtime_core.h"

namespace warmswap {

/// The addon's data of one JavaScript environment (the main thread, or a worker thread).
struct Instance {
  Napi::FunctionReference model_constructor;
  std::weak_ptr<RuntimeCore> runtime;
};

}  // namespace warmswap
