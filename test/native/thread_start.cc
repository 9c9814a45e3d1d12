#include "core/thread_start.h"

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

std::string OwnName() {
  std::array<char, 16> name{};  // of the size that prctl(2) asks for
  prctl(PR_GET_NAME, name.data());
  return name.data();
}

int LoweredPriority() { return std::min(OwnPriority() + kLoweredBy, kLowest); }

/// Threads of this process that have this priority.
int CountThreadsAt(int priority) {
  int count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (PriorityOf(static_cast<id_t>(std::stoi(task.path().filename()))) == priority) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("a job runs at a low priority, and leaves its caller's as it is") {
  const int before = OwnPriority();
  int in_job = before;
  RunAtLowPriority("job", [&] { in_job = OwnPriority(); });
  CHECK(in_job == LoweredPriority());
  CHECK(OwnPriority() == before);
}

TEST_CASE("threads started in a job have the priority of the process, threads of theirs too") {
  int started = kLowest;
  int started_by_that = kLowest;
  RunAtLowPriority("job", [&] {
    StartThread("started", [&] {
      started = OwnPriority();
      StartThread("started", [&] { started_by_that = OwnPriority(); }).join();
    }).join();
    for (int i = 0; i < 3; ++i) StartThread("started", [] {}).join();
  });
  CHECK(started == OwnPriority());
  CHECK(started_by_that == OwnPriority());
}

TEST_CASE("threads have the names that they are started with") {
  std::string job;
  std::string started;
  RunAtLowPriority("job", [&] {
    job = OwnName();
    StartThread("started", [&] { started = OwnName(); }).join();
  });
  CHECK(job == "job");
  CHECK(started == "started");
}

TEST_CASE("outside of a job a thread is started as usual") {
  int started = kLowest;
  StartThread("started", [&] { started = OwnPriority(); }).join();
  CHECK(started == OwnPriority());
}

TEST_CASE("a model that is loaded at a low priority runs at the process's") {
  const OrtLibrary& library = Library();
  const int low = LoweredPriority();
  ModelOptions options{ModelPath("shift/1"), {.intra_op_threads = 3}, {.threads = 2}};
  int before = 0;
  int with_model = 0;
  RunAtLowPriority("job", [&] {
    before = CountThreadsAt(low);
    const Model model(library, options, [](const std::vector<Completion>&) {});
    with_model = CountThreadsAt(low);
  });
  CHECK(before >= 1);
  CHECK(with_model == before);
}

}  // namespace warmswap::test
