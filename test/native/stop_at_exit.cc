#include "core/stop_at_exit.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "core/job_thread.h"
#include "core/model.h"
#include "support.h"

namespace warmswap::test {
namespace {

using namespace std::chrono_literals;

void Append(const std::string& text) {
  std::ofstream(ChildFile(), std::ios::binary | std::ios::app) << text;
}

/// What the child test case `name` wrote; fails the test unless it exited with 0.
std::string WrittenBy(const std::string& name) {
  const TempDir dir;
  const int status = RunInChild(name, dir / "file");
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  return ReadFile(dir / "file");
}

/// Joins its thread when the process exits. Make it before the first StopAtExit: then it comes
/// last.
struct JoinedAtExit {
  std::thread thread;
  ~JoinedAtExit() {
    if (thread.joinable()) thread.join();
  }
};

}  // namespace

TEST_CASE("child: exits while one lives and one is gone" * doctest::skip()) {
  static const auto* const lives = new StopAtExit([] { Append("stopped "); });
  {
    const StopAtExit gone([] { Append("gone "); });
  }
  Append(lives == nullptr ? "" : "exit ");
  std::exit(0);
}

TEST_CASE("exit stops what lives, once, and not what is gone") {
  CHECK(WrittenBy("child: exits while one lives and one is gone") == "exit stopped ");
}

TEST_CASE("child: exits while one that holds another lives" * doctest::skip()) {
  static const auto* inner = new StopAtExit([] { Append("inner "); });
  static const auto* const outer = new StopAtExit([] {
    delete inner;
    inner = nullptr;
  });
  std::exit(outer == nullptr ? 1 : 0);
}

TEST_CASE("stopping one owner at exit may destroy another") {
  const std::string written = WrittenBy("child: exits while one that holds another lives");
  CHECK((written == "" || written == "inner "));
}

TEST_CASE("child: exits while another thread destroys one" * doctest::skip()) {
  static JoinedAtExit joined;
  static Event stopping;
  static std::atomic<bool> stopped = false;
  auto* stop_at_exit = new StopAtExit([] {
    stopping.Set();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    stopped = true;
  });
  joined.thread = std::thread([stop_at_exit] {
    if (!stopping.Wait()) return;
    delete stop_at_exit;
    Append(stopped ? "waited" : "did not wait");
  });
  std::exit(0);
}

TEST_CASE("destruction waits for a stop that is under way") {
  CHECK(WrittenBy("child: exits while another thread destroys one") == "waited");
}

TEST_CASE("child: exits in the middle of runs" * doctest::skip()) {
  const ModelOptions options{ModelPath("slow/1"), {}, {.threads = 2, .queue_capacity = 64}};
  static auto* const model =
      new Model(Library(), options, [](const std::vector<Completion>& completed) {
        for (const Completion& completion : completed) {
          Append(std::holds_alternative<Error>(completion.outcome) ? "failed " : "answered ");
        }
      });
  for (std::uint64_t ticket = 0; ticket < 3; ++ticket) model->Submit(SlowRequest(ticket, kEndless));
  WaitUntilARunIsUnderWay();
  std::exit(0);
}

TEST_CASE("exit ends runs that are under way, and the process exits as it was asked to") {
  CHECK(WrittenBy("child: exits in the middle of runs") == "failed failed failed ");
}

TEST_CASE("child: exits in the middle of a load" * doctest::skip()) {
  static Event loading;
  const OrtLibrary& library = Library();
  static auto* const jobs = new JobThread();
  ModelOptions options{ModelPath("linear/1"), {}, {.threads = 2, .queue_capacity = 1}};
  // ONNX Runtime makes half of its static objects in the first load of the process.
  {
    const Model first(library, options, [](const std::vector<Completion>&) {});
  }
  options.on_mapped = [] { loading.Set(); };
  jobs->Post([&library, options] {
    static const auto* const model =
        new Model(library, options, [](const std::vector<Completion>&) {});
    Append(model->inputs().at(0).name);
  });
  REQUIRE(loading.Wait());
  std::exit(0);
}

TEST_CASE("exit waits for a load that is under way") {
  // Where in the load the exit comes differs from one to the other.
  for (int i = 0; i < 8; ++i) CHECK(WrittenBy("child: exits in the middle of a load") == "x");
}

}  // namespace warmswap::test
