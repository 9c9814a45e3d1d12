#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "core/ort.h"
#include "core/ort_library.h"

namespace warmswap {

/// Ends the load of one model early. Thread-safe; whoever loads and whoever cancels share it.
class LoadCancellation {
 public:
  LoadCancellation() = default;
  LoadCancellation(const LoadCancellation&) = delete;
  LoadCancellation& operator=(const LoadCancellation&) = delete;

  /// Idempotent; never waits for the load. A session that is being created ends within one of its
  /// steps, such as packing one weight; with ONNX Runtime before 1.22, when it has been created.
  void Cancel();

  bool is_cancelled() const noexcept { return is_cancelled_; }
  /// Throws kCancelled naming `what` if so.
  void ThrowIfCancelled(const std::string& what) const;

  /// As long as it lives, Cancel also ends the creation of a session with `options`.
  class Scope {
   public:
    Scope(LoadCancellation& cancellation, const OrtLibrary& library, Ort::SessionOptions& options);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

   private:
    LoadCancellation& cancellation_;
  };

 private:
  std::atomic<bool> is_cancelled_ = false;
  std::mutex mutex_;
  std::function<void()> end_session_;
};

}  // namespace warmswap
