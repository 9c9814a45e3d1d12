#include "core/thread_start.h"

#include <sys/prctl.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <utility>

#include "core/thread_priority.h"

namespace warmswap {
namespace {

/// The thread that waits in RunAtLowPriority: it starts threads for the job meanwhile.
class Starter {
 public:
  /// Called in the job.
  std::thread Start(std::function<void()> body) {
    std::unique_lock lock(mutex_);
    body_ = std::move(body);
    changed_.notify_all();
    changed_.wait(lock, [this] { return body_ == nullptr; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return std::move(started_);
  }

  void JobEnded() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  /// Called by the thread that waits.
  void ServeUntilEnd() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return body_ != nullptr || ended_; });
      if (body_ == nullptr) return;
      try {
        started_ = std::thread(std::move(body_));
      } catch (...) {
        failure_ = std::current_exception();
      }
      body_ = nullptr;
      changed_.notify_all();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> body_;
  std::thread started_;
  std::exception_ptr failure_;
  bool ended_ = false;
};

thread_local Starter* starter_of_this_job = nullptr;

void NameThisThread(const char* name) { prctl(PR_SET_NAME, name); }

}  // namespace

void RunAtLowPriority(const char* name, const std::function<void()>& job) {
  Starter starter;
  std::thread thread;
  try {
    thread = std::thread([&] {
      NameThisThread(name);
      LowerPriorityOfThisThread();
      starter_of_this_job = &starter;
      job();
      starter.JobEnded();
    });
  } catch (const std::system_error&) {
    return job();  // there is no thread left to have
  }
  starter.ServeUntilEnd();
  thread.join();
}

std::thread StartThread(const char* name, std::function<void()> body) {
  auto named = [name, body = std::move(body)] {
    NameThisThread(name);
    body();
  };
  if (starter_of_this_job == nullptr) return std::thread(std::move(named));
  return starter_of_this_job->Start(std::move(named));
}

}  // namespace warmswap
