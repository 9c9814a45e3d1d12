#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/stop_at_exit.h"

namespace warmswap {

/// One thread that does jobs in the order in which they were posted: loading, unloading and
/// measuring models, so that the JavaScript thread does none of it. They run at a low
/// priority; threads that they start with StartThread do not. Jobs must not throw.
/// The queue is bounded by its one poster, which has at most a few jobs a model under way.
class JobThread {
 public:
  /// Called on the thread, once, when it has had nothing to do for `after` since its last job or
  /// its start.
  struct AtRest {
    std::chrono::milliseconds after;
    std::function<void()> call;
  };

  JobThread() : JobThread(AtRest{}) {}
  explicit JobThread(AtRest at_rest);
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;
  ~JobThread();

  /// Never blocks. Does nothing once stopped. `cancel` makes the job end early; Stop calls it, on
  /// its own thread, if the job runs then. Neither must throw.
  void Post(std::function<void()> job, std::function<void()> cancel = nullptr);

  /// Cancels the job that runs and waits for it, drops the others. Idempotent; not callable from a
  /// job.
  void Stop();

 private:
  struct Job {
    std::function<void()> run;
    std::function<void()> cancel;
  };

  void Work();
  void WaitForJob(std::unique_lock<std::mutex>& lock);
  void CancelAndClose();

  const AtRest at_rest_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::function<void()> cancel_running_;
  bool closed_ = false;
  std::mutex stop_mutex_;
  std::thread thread_;
  StopAtExit stop_at_exit_;
};

}  // namespace warmswap
