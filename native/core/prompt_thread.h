#pragma once

#include <chrono>

namespace warmswap {

/// The priority of a thread that serves. While it takes little of a core the system gives it that
/// core at once, by real-time scheduling, whatever else runs there. (An ordinary thread may wait
/// for up to 4 ms, until the scheduler's next tick, for one that loads a model.)
///
/// It is an ordinary thread, with a short time slice, as long as
/// - it takes more of a core than its role may (it has credit for 10 ms of bursts),
/// - it runs for more than 1 ms at a time, or has not yet run for less eight times in a row
///   (runners),
/// - it may wait for another thread by spinning (SpinWait), or
/// - the system does not permit it (it takes CAP_SYS_NICE, or an RLIMIT_RTPRIO of 2, and a process
///   that is not niced), or AllowPromptThreads has not.
///
/// For the thread that made it.
class PromptThread {
 public:
  enum class Role {
    kEventLoop,  ///< half a core; goes before runners
    kRunner,     ///< a quarter of a core
  };

  explicit PromptThread(Role role) noexcept;

  /// To be called behind each run by a runner, and often by an event loop. What a thread takes is
  /// noticed then, not before.
  void UpdatePriority() noexcept;

 private:
  using Time = std::chrono::nanoseconds;

  bool MayBePrompt() const noexcept;
  void SetPrompt(bool prompt) noexcept;

  const Role role_;
  bool is_prompt_ = false;
  Time credit_;  ///< of processor time
  int short_runs_ = 0;
  Time updated_at_;
  Time cpu_time_;  ///< of this thread, then
};

/// Whether threads of this process may be prompt; at first not. Callable from any thread.
void AllowPromptThreads(bool allowed) noexcept;

/// Whether the system permits it. Callable from any thread.
bool ArePromptThreadsPermitted();

/// Held while threads of this role may wait for another one by spinning, as a run of several
/// threads does: a prompt thread would wait forever for one whose core it has. None of them is
/// prompt meanwhile, after its next UpdatePriority.
class SpinWait {
 public:
  explicit SpinWait(PromptThread::Role role) noexcept;
  SpinWait(const SpinWait&) = delete;
  SpinWait& operator=(const SpinWait&) = delete;
  ~SpinWait();

 private:
  const PromptThread::Role role_;
};

}  // namespace warmswap
