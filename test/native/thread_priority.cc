#include "core/thread_priority.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include "core/thread_start.h"
#include "support.h"

namespace warmswap::test {
namespace {

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
    text += std::to_string(getpriority(PRIO_PROCESS, thread)) + "/" +
            std::to_string(IoClassOf(thread)) + " ";
  }
  return text;
}

/// By sched_getattr(2): the time slice of this thread in ns, as far as the system tells.
std::uint64_t OwnTimeSlice() {
  constexpr std::size_t kRuntimeAt = 24;
  std::array<char, 48> attributes{};
  syscall(SYS_sched_getattr, 0, attributes.data(), attributes.size(), 0);
  std::uint64_t runtime = 0;
  std::memcpy(&runtime, attributes.data() + kRuntimeAt, sizeof(runtime));
  return runtime;
}

/// Calls `check` on a thread with a short time slice. Linux before 6.12 has none and tells 0.
template <typename Check>
void WithShortSlice(Check check) {
  std::thread([&] {
    const std::uint64_t usual = OwnTimeSlice();
    ShortenTimeSliceOfThisThread();
    if (usual == 0) {
      MESSAGE("this system has no time slices of threads");
    } else {
      check(usual);
    }
  }).join();
}

constexpr std::uint64_t kShortNs = 100'000;

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

TEST_CASE("a time slice is shortened for a thread and for those that it starts") {
  WithShortSlice([](std::uint64_t usual) {
    CHECK(usual > kShortNs);
    CHECK(OwnTimeSlice() == kShortNs);
    std::uint64_t of_child = 0;
    std::thread([&] { of_child = OwnTimeSlice(); }).join();
    CHECK(of_child == kShortNs);
  });
}

TEST_CASE("a job at low priority has the usual time slice, what it starts that of its caller") {
  WithShortSlice([](std::uint64_t usual) {
    std::uint64_t in_job = 0;
    std::uint64_t started = 0;
    RunAtLowPriority("job", [&] {
      in_job = OwnTimeSlice();
      StartThread("started", [&] { started = OwnTimeSlice(); }).join();
    });
    CHECK(in_job == usual);
    CHECK(started == kShortNs);
  });
}

TEST_CASE("a shorter time slice leaves the priority as it is") {
  std::thread([] {
    const auto thread = static_cast<id_t>(syscall(SYS_gettid));
    setpriority(PRIO_PROCESS, thread, 3);
    ShortenTimeSliceOfThisThread();
    CHECK(getpriority(PRIO_PROCESS, thread) == 3);
  }).join();
}

}  // namespace warmswap::test
