#include "core/thread_start.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/model.h"
#include "support.h"

namespace warmswap::test {
namespace {

constexpr int kLowest = 19;
constexpr int kLoweredBy = 10;

int PriorityOf(id_t thread) { return getpriority(PRIO_PROCESS, thread); }
int OwnPriority() { return PriorityOf(static_cast<id_t>(syscall(SYS_gettid))); }

int LoweredPriority() { return std::min(OwnPriority() + kLoweredBy, kLowest); }

/// Threads of this process that have this priority.
int CountThreadsAt(int priority) {
  int count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (PriorityOf(static_cast<id_t>(std::stoi(task.path().filename()))) == priority) ++count;
  }
  return count;
}

int IoClassOf(id_t thread) {
  constexpr int kOneThread = 1;
  constexpr int kClassShift = 13;
  return static_cast<int>(syscall(SYS_ioprio_get, kOneThread, thread)) >> kClassShift;
}

/// "19/3 " for each thread: processor priority and I/O class (3 is idle).
std::string PrioritiesOfThreads() {
  std::string text;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    const auto thread = static_cast<id_t>(std::stoi(task.path().filename()));
    text += std::to_string(PriorityOf(thread)) + "/" + std::to_string(IoClassOf(thread)) + " ";
  }
  return text;
}

}  // namespace

TEST_CASE("child: lowers its priority between two threads" * doctest::skip()) {
  std::atomic<bool> ended = false;
  const auto live = [&] { ended.wait(false); };
  std::thread before(live);
  LowerPriorityOfProcess();
  std::thread after(live);
  WriteFile(ChildFile(), PrioritiesOfThreads());
  ended = true;
  ended.notify_all();
  before.join();
  after.join();
  std::exit(0);
}

TEST_CASE("a process lowers the priority of all its threads, for processor and disk") {
  const TempDir dir;
  const int status =
      RunInChild("child: lowers its priority between two threads", dir / "priorities");
  REQUIRE(WIFEXITED(status));
  const std::string priorities = ReadFile(dir / "priorities");
  CHECK(Contains(priorities, "19/3 19/3 19/3 "));
  for (const auto* other : {" 0/", "/0", "/2"}) CHECK_FALSE(Contains(" " + priorities, other));
}

TEST_CASE("a job runs at a low priority, and leaves its caller's as it is") {
  const int before = OwnPriority();
  int in_job = before;
  RunAtLowPriority([&] { in_job = OwnPriority(); });
  CHECK(in_job == LoweredPriority());
  CHECK(OwnPriority() == before);
}

TEST_CASE("threads started in a job have the priority of the process, threads of theirs too") {
  int started = kLowest;
  int started_by_that = kLowest;
  RunAtLowPriority([&] {
    StartThread([&] {
      started = OwnPriority();
      StartThread([&] { started_by_that = OwnPriority(); }).join();
    }).join();
    for (int i = 0; i < 3; ++i) StartThread([] {}).join();
  });
  CHECK(started == OwnPriority());
  CHECK(started_by_that == OwnPriority());
}

TEST_CASE("outside of a job a thread is started as usual") {
  int started = kLowest;
  StartThread([&] { started = OwnPriority(); }).join();
  CHECK(started == OwnPriority());
}

TEST_CASE("a model that is loaded at a low priority runs at the process's") {
  const OrtLibrary& library = Library();
  const int low = LoweredPriority();
  ModelOptions options{ModelPath("shift/1"), {.intra_op_threads = 3}, {.threads = 2}};
  int before = 0;
  int with_model = 0;
  RunAtLowPriority([&] {
    before = CountThreadsAt(low);
    const Model model(library, options, [](const std::vector<Completion>&) {});
    with_model = CountThreadsAt(low);
  });
  CHECK(before >= 1);
  CHECK(with_model == before);
}

}  // namespace warmswap::test
