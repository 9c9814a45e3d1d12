#include "core/job_thread.h"

#include <utility>

#include "core/thread_start.h"

namespace warmswap {

JobThread::JobThread(AtRest at_rest)
    : at_rest_(std::move(at_rest)),
      thread_([this] { RunAtLowPriority("ws-loader", [this] { Work(); }); }),
      stop_at_exit_([this] { Stop(); }) {}

JobThread::~JobThread() { Stop(); }

void JobThread::Stop() {
  CancelAndClose();
  changed_.notify_one();
  const std::lock_guard lock(stop_mutex_);
  if (thread_.joinable()) thread_.join();
}

void JobThread::Post(std::function<void()> job, std::function<void()> cancel) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    jobs_.push_back({std::move(job), std::move(cancel)});
  }
  changed_.notify_one();
}

// The lock is held, so that the job that is cancelled is the one that runs.
void JobThread::CancelAndClose() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  if (const auto cancel = std::exchange(cancel_running_, nullptr)) cancel();
}

void JobThread::WaitForJob(std::unique_lock<std::mutex>& lock) {
  const auto is_over = [this] { return closed_ || !jobs_.empty(); };
  if (at_rest_.call && !changed_.wait_for(lock, at_rest_.after, is_over)) {
    lock.unlock();
    at_rest_.call();
    lock.lock();
  }
  changed_.wait(lock, is_over);
}

void JobThread::Work() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      cancel_running_ = nullptr;
      WaitForJob(lock);
      if (closed_) return;
      job = std::move(jobs_.front().run);
      cancel_running_ = std::move(jobs_.front().cancel);
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace warmswap
