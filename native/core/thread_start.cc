#include "core/thread_start.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace warmswap {
namespace {

constexpr int kLowestPriority = 19;
// A tenth of the time of a thread that it competes with. At the lowest priority, a seventieth, a
// busy host needed half a minute for a gigabyte.
constexpr int kLoweredBy = 10;
// Of ioprio_set(2), for which the C library has no wrapper.
constexpr int kIoPriorityOfOneThread = 1;
constexpr int kIdleIo = 3 << 13;

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

// Linux keeps the priority per thread; a low one brings a low one of the usual class of I/O.
void LowerPriorityOfThisThread() {
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  const int lowered = getpriority(PRIO_PROCESS, thread) + kLoweredBy;
  setpriority(PRIO_PROCESS, thread, std::min(lowered, kLowestPriority));
}

std::vector<id_t> ThreadsOfProcess() {
  std::vector<id_t> threads;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    threads.push_back(static_cast<id_t>(std::stoul(task.path().filename())));
  }
  return threads;
}

}  // namespace

void RunAtLowPriority(const std::function<void()>& job) {
  Starter starter;
  std::thread thread;
  try {
    thread = std::thread([&] {
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

void LowerPriorityOfProcess() {
  for (const id_t thread : ThreadsOfProcess()) {
    setpriority(PRIO_PROCESS, thread, kLowestPriority);
    syscall(SYS_ioprio_set, kIoPriorityOfOneThread, thread, kIdleIo);
  }
}

std::thread StartThread(std::function<void()> body) {
  if (starter_of_this_job == nullptr) return std::thread(std::move(body));
  return starter_of_this_job->Start(std::move(body));
}

}  // namespace warmswap
