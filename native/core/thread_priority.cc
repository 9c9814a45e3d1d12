#include "core/thread_priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
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
// The shortest that Linux takes.
constexpr std::uint64_t kShortSliceNs = 100'000;
constexpr std::uint64_t kSliceOfTheSystem = 0;
// Of sched_setattr(2).
constexpr std::uint32_t kRoundRobin = 2;
constexpr std::uint64_t kResetOnFork = 1;

id_t ThisThread() { return static_cast<id_t>(syscall(SYS_gettid)); }

/// struct sched_attr of sched_setattr(2), whose header is at odds with the C library's.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;  // the normal one
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;  // the time slice in ns; 0 for the system's
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

// A low processor priority brings a low one of the usual class of I/O.
bool ScheduleThisThread(int nice, std::uint64_t slice_ns, std::uint64_t flags = 0) {
  SchedulingAttributes attributes;
  attributes.flags = flags;
  attributes.nice = nice;
  attributes.runtime = slice_ns;
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

int OwnPriority() { return getpriority(PRIO_PROCESS, ThisThread()); }

std::vector<id_t> ThreadsOfProcess() {
  std::vector<id_t> threads;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    threads.push_back(static_cast<id_t>(std::stoul(task.path().filename())));
  }
  return threads;
}

}  // namespace

void LowerPriorityOfThisThread() {
  ScheduleThisThread(std::min(OwnPriority() + kLoweredBy, kLowestPriority), kSliceOfTheSystem);
}

void LowerPriorityOfProcess() {
  for (const id_t thread : ThreadsOfProcess()) {
    setpriority(PRIO_PROCESS, thread, kLowestPriority);
    syscall(SYS_ioprio_set, kIoPriorityOfOneThread, thread, kIdleIo);
  }
}

void ShortenTimeSliceOfThisThread() { ScheduleThisThread(OwnPriority(), kShortSliceNs); }

bool MakeThisThreadRealTime(int priority) {
  if (OwnPriority() != 0) return false;
  SchedulingAttributes attributes;
  attributes.policy = kRoundRobin;
  attributes.flags = kResetOnFork;
  attributes.priority = static_cast<std::uint32_t>(priority);
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

// Without privileges a thread cannot give up kResetOnFork.
bool EndRealTimeOfThisThread() {
  return ScheduleThisThread(OwnPriority(), kShortSliceNs, kResetOnFork);
}

}  // namespace warmswap
