#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/stop_at_exit.h"

namespace warmswap {

/// One thread that does jobs in the order in which they were posted: loading, unloading and
/// measuring models, so that the JavaScript thread does none of it. Jobs must not throw.
/// The queue is bounded by its one poster, which has at most a few jobs a model under way.
class JobThread {
 public:
  JobThread();
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;
  ~JobThread();

  /// Never blocks. Does nothing once stopped.
  void Post(std::function<void()> job);

  /// Waits for the job that runs, drops the others. Idempotent; not callable from a job.
  void Stop();

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool closed_ = false;
  std::mutex stop_mutex_;
  std::thread thread_;
  StopAtExit stop_at_exit_;
};

}  // namespace warmswap
