#pragma once

#include <functional>
#include <memory>

namespace warmswap {

/// Calls `stop` once if the process exits while this object lives. `exit()` destroys the static
/// objects of ONNX Runtime, also those that it makes only while it loads or runs; a thread that is
/// still inside it then would crash, so whoever owns threads that call ONNX Runtime holds one of
/// these. The first one must be made after OrtLibrary::Open, and on the main thread if that is to
/// exit: only then does `stop` come before all of the static objects go. `stop` must be idempotent
/// and must not throw.
class StopAtExit {
 public:
  explicit StopAtExit(std::function<void()> stop);
  StopAtExit(const StopAtExit&) = delete;
  StopAtExit& operator=(const StopAtExit&) = delete;
  /// Waits if `stop` is being called now.
  ~StopAtExit();

 private:
  struct Entry;
  class Registry;
  struct MainThreadEnd;
  std::shared_ptr<Entry> entry_;
};

}  // namespace warmswap
