#include "core/prompt_thread.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "core/model.h"
#include "core/thread_priority.h"
#include "support.h"

namespace warmswap::test {
namespace {

using std::chrono::milliseconds;
using Role = PromptThread::Role;

constexpr uid_t kNobody = 65'534;

/// "RR 2" or "OTHER", and "+" if what the thread starts is an ordinary one.
std::string OwnPolicy() {
  const int policy = sched_getscheduler(0);
  sched_param parameters{};
  sched_getparam(0, &parameters);
  std::string text = (policy & ~SCHED_RESET_ON_FORK) == SCHED_OTHER ? "OTHER" : "RR ";
  if (text == "RR ") text += std::to_string(parameters.sched_priority);
  return (policy & SCHED_RESET_ON_FORK) != 0 ? text + "+" : text;
}

void UseProcessor(milliseconds time) {
  const auto now = [] {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  };
  const auto until = now() + time;
  while (now() < until) continue;
}

/// Updates, resting in between, until the thread is as it should be.
void UpdateUntil(PromptThread& self, const std::string& policy) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (OwnPolicy() != policy) {
    const bool is_in_time = std::chrono::steady_clock::now() < end;
    CHECK(is_in_time);
    if (!is_in_time) return;
    std::this_thread::sleep_for(milliseconds(1));
    self.UpdatePriority();
  }
}

/// Calls `body` on a thread, with prompt threads allowed, where the system permits them.
template <typename Body>
void WherePermitted(Body body) {
  if (!ArePromptThreadsPermitted()) {
    MESSAGE("this system does not permit real-time scheduling");
    return;
  }
  AllowPromptThreads(true);
  std::thread(body).join();
  AllowPromptThreads(false);
}

void RunShortly(PromptThread& runner, int times) {
  for (int i = 0; i < times; ++i) runner.UpdatePriority();
}

}  // namespace

TEST_CASE("no thread is prompt unless that is allowed") {
  std::thread([] {
    PromptThread self(Role::kRunner);
    RunShortly(self, 100);
    CHECK(OwnPolicy() == "OTHER");
  }).join();
}

TEST_CASE("a thread that is prompt is not once that is no longer allowed") {
  WherePermitted([] {
    PromptThread self(Role::kEventLoop);
    UpdateUntil(self, "RR 2+");
    AllowPromptThreads(false);
    self.UpdatePriority();
    CHECK(OwnPolicy() == "OTHER+");
  });
}

TEST_CASE("an event loop that takes little of a core is prompt, what it starts is not") {
  WherePermitted([] {
    PromptThread self(Role::kEventLoop);
    UpdateUntil(self, "RR 2+");
    std::string of_child;
    std::thread([&] { of_child = OwnPolicy(); }).join();
    CHECK(of_child == "OTHER");
  });
}

TEST_CASE(
    "an event loop that takes more than half a core is no longer prompt, until it takes less") {
  WherePermitted([] {
    PromptThread self(Role::kEventLoop);
    UpdateUntil(self, "RR 2+");
    while (OwnPolicy() != "OTHER+") {
      UseProcessor(milliseconds(1));
      self.UpdatePriority();
    }
    UpdateUntil(self, "RR 2+");
  });
}

TEST_CASE("a runner is prompt after eight short runs, and not after a long one") {
  WherePermitted([] {
    PromptThread self(Role::kRunner);
    RunShortly(self, 7);
    CHECK(OwnPolicy() == "OTHER");
    RunShortly(self, 1);
    CHECK(OwnPolicy() == "RR 1+");
    UseProcessor(milliseconds(2));
    self.UpdatePriority();
    CHECK(OwnPolicy() == "OTHER+");
    RunShortly(self, 7);
    CHECK(OwnPolicy() == "OTHER+");
    UpdateUntil(self, "RR 1+");
  });
}

TEST_CASE("no thread is prompt that may wait for another one by spinning") {
  WherePermitted([] {
    PromptThread self(Role::kRunner);
    RunShortly(self, 8);
    CHECK(OwnPolicy() == "RR 1+");
    {
      const SpinWait wait(Role::kRunner);
      self.UpdatePriority();
      CHECK(OwnPolicy() == "OTHER+");
      RunShortly(self, 100);
      CHECK(OwnPolicy() == "OTHER+");
    }
    UpdateUntil(self, "RR 1+");
    const SpinWait of_others(Role::kEventLoop);
    self.UpdatePriority();
    CHECK(OwnPolicy() == "RR 1+");
  });
}

TEST_CASE("a model whose runs have threads runs inline once no event loop can be prompt any more") {
  ModelOptions options;
  options.model_path = ModelPath("shift/1");
  options.execution = Execution::kInline;
  options.session.intra_op_threads = 2;
  WherePermitted([&] {
    PromptThread self(Role::kEventLoop);
    UpdateUntil(self, "RR 2+");
    {
      Model model(Library(), options, [](const std::vector<Completion>&) {});
      CHECK_FALSE(model.PrefersInline(4));
      self.UpdatePriority();
      CHECK(OwnPolicy() == "OTHER+");
      CHECK(model.PrefersInline(4));
    }
    UpdateUntil(self, "RR 2+");
  });
}

TEST_CASE("a thread that is niced stays as it is") {
  std::thread([] {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 3);
    CHECK_FALSE(MakeThisThreadRealTime(1));
    CHECK(OwnPolicy() == "OTHER");
  }).join();
}

TEST_CASE("a thread that has lost its privileges can still become an ordinary one") {
  if (getuid() != 0) {
    MESSAGE("this takes root");
    return;
  }
  WherePermitted([] {
    CHECK(MakeThisThreadRealTime(2));
    // The C library's function is for all threads.
    CHECK(syscall(SYS_setresuid, kNobody, kNobody, kNobody) == 0);
    CHECK(EndRealTimeOfThisThread());
    CHECK(OwnPolicy() == "OTHER+");
  });
}

}  // namespace warmswap::test
