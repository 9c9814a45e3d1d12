#pragma once

#include <cstddef>
#include <string>

#include "core/error.h"

namespace warmswap {

// What a request ends with that did not run.

inline Error Unloading() { return {ErrorCode::kUnavailable, "this version is being unloaded"}; }

inline Error Cancelled() { return {ErrorCode::kCancelled, "the request was cancelled"}; }

inline Error TooLate() {
  return {ErrorCode::kDeadlineExceeded, "the deadline passed while the request was queued"};
}

inline Error QueueFull(std::size_t capacity) {
  return {ErrorCode::kResourceExhausted,
          "the queue is full: " + std::to_string(capacity) + " requests are waiting"};
}

inline Error Displaced() {
  return {ErrorCode::kResourceExhausted,
          "the queue is full, and a more urgent request has taken the place of this one"};
}

}  // namespace warmswap
