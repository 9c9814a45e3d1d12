#pragma once

#include <utility>

#include "addon/napi.h"
#include "core/error.h"

namespace warmswap {

/// A JavaScript Error with the contract's `code`, and with `details` where memory was short.
Napi::Error ToJsError(Napi::Env env, const Error& error);

/// The one translator of exceptions: runs `body` and lets nothing but a JavaScript error out of it.
template <typename Body>
auto Guarded(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw ToJsError(env, CurrentExceptionAsError());
  }
}

}  // namespace warmswap
