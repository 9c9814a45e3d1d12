#include "core/graph_runs.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/bound_runs.h"
#include "core/capture_gate.h"
#include "core/error.h"
#include "core/session.h"
#include "cuda_standin.h"
#include "standin_device.h"
#include "support.h"

// On the processor nothing is recorded, but everything else is as on a GPU: which runs are
// ordinary, the memory that stays bound, and the copies.

namespace warmswap::test {
namespace {

/// Counts the runs of another way to run.
class CountedRuns final : public RunPath {
 public:
  explicit CountedRuns(RunPath& runs) : runs_(runs) {}

  std::vector<Ort::Value> Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                              std::span<const std::size_t> outputs) override {
    ++count_;
    return runs_.Run(options, inputs, outputs);
  }
  int count() const noexcept { return count_; }

 private:
  RunPath& runs_;
  int count_ = 0;
};

/// Recorded runs of a fixture.
class Graphs {
 public:
  explicit Graphs(std::string_view fixture)
      : device_(std::make_shared<StandinDevice>(standin_)),
        stream_(device_->NewStream()),
        specs_(Library(), ModelPath(fixture), {}),
        session_(Library().env(), ModelPath(fixture).c_str(), ToOrt(SessionOptions())),
        ordinary_(ref(), device_->host_info()),
        counted_(ordinary_),
        runs_(ref(), counted_, *device_, *stream_) {}

  std::vector<Ort::Value> Run(const std::vector<Ort::Value>& inputs,
                              const std::vector<std::size_t>& outputs = {0}) {
    const int before = counted_.count();
    Ort::RunOptions options;
    auto values = runs_.Run(options, inputs, outputs);
    was_ordinary_ = counted_.count() > before;
    return values;
  }

  /// Runs the fixture `shift`; gives the first element of the output.
  float Shift(std::int64_t rows, float x) {
    const std::vector<float> values(static_cast<std::size_t>(4 * rows), x);
    const auto outputs = Run(One(MakeTensor(DataType::kFp32, values, {rows, 4})));
    const std::vector<float> elements = Elements<float>(outputs.at(0));
    CHECK(elements == std::vector<float>(values.size(), elements.at(0)));
    return elements.at(0);
  }

  /// Whether the last run was, rather than one that is recorded or replayed.
  bool was_ordinary() const noexcept { return was_ordinary_; }
  std::size_t graph_count() const { return runs_.graph_count(); }
  const CudaStandin& standin() const { return standin_; }
  const StandinDevice& device() const { return *device_; }

 private:
  SessionRef ref() { return {session_, specs_.inputs(), specs_.outputs()}; }

  CudaStandin standin_;
  std::shared_ptr<StandinDevice> device_;
  std::unique_ptr<DeviceStream> stream_;
  Session specs_;
  Ort::Session session_;
  BoundRuns ordinary_;
  CountedRuns counted_;
  GraphRuns runs_;
  bool was_ordinary_ = false;
};

}  // namespace

TEST_CASE("a shape runs ordinarily, then is recorded, then replayed, each time with new inputs") {
  Graphs graphs("shift/1");
  CHECK(graphs.Shift(2, 1) == 2);
  CHECK(graphs.was_ordinary());
  for (const float x : {2.0F, 3.0F, 4.0F}) {
    CHECK(graphs.Shift(2, x) == x + 1);
    CHECK_FALSE(graphs.was_ordinary());
  }
  CHECK(graphs.graph_count() == 1);
}

TEST_CASE("every shape has a recording and memory of its own") {
  Graphs graphs("shift/1");
  for (int round = 0; round < 3; ++round) {
    for (const std::int64_t rows : {1, 2, 3}) {
      const auto x = static_cast<float>(10 * round + rows);
      CHECK(graphs.Shift(rows, x) == x + 1);
      CHECK(graphs.was_ordinary() == (round == 0));
    }
  }
  CHECK(graphs.standin().counts().device_blocks == 6);
}

TEST_CASE("the outputs of a replay are the request's own, and outlive the next replay") {
  Graphs graphs("shift/1");
  graphs.Shift(1, 0);
  const auto inputs = [](float x) {
    return One(MakeTensor<float>(DataType::kFp32, {x, x, x, x}, {1, 4}));
  };
  const auto first = graphs.Run(inputs(1));
  const auto second = graphs.Run(inputs(2));
  CHECK(Elements<float>(first.at(0)) == std::vector<float>(4, 2));
  CHECK(Elements<float>(second.at(0)) == std::vector<float>(4, 3));
}

TEST_CASE("a recording gives whichever outputs a request wants") {
  Graphs graphs("mixed/1");
  const auto inputs = [] {
    auto values = One(MakeTensor<float>(DataType::kFp32, {1, 2, 3, 4, 5, 6}, {2, 3}));
    values.push_back(MakeTensor<std::int64_t>(DataType::kInt64, {5, -7}, {2}));
    return values;
  };
  for (int i = 0; i < 3; ++i) {
    const auto second = graphs.Run(inputs(), {1});
    REQUIRE(second.size() == 1);
    CHECK(Elements<std::int64_t>(second[0]) == std::vector<std::int64_t>{10, -14});
    const auto swapped = graphs.Run(inputs(), {1, 0});
    REQUIRE(swapped.size() == 2);
    CHECK(Elements<float>(swapped[1]) == std::vector<float>{6, 15});
  }
  CHECK(graphs.graph_count() == 1);
}

TEST_CASE("tensors without elements, and outputs wanted twice, run ordinarily") {
  Graphs graphs("shift/1");
  for (int i = 0; i < 3; ++i) {
    CHECK(graphs.Run(One(MakeTensor<float>(DataType::kFp32, {}, {0, 4}))).size() == 1);
    CHECK(graphs.was_ordinary());
    const auto inputs = One(MakeTensor<float>(DataType::kFp32, {1, 1, 1, 1}, {1, 4}));
    CHECK(graphs.Run(inputs, {0, 0}).size() == 2);
    CHECK(graphs.was_ordinary());
  }
  CHECK(graphs.graph_count() == 0);
}

TEST_CASE("shapes beyond the most recordings run ordinarily") {
  Graphs graphs("shift/1");
  const auto most = static_cast<std::int64_t>(GraphRuns::kMaxGraphs);
  for (std::int64_t rows = 1; rows <= most + 1; ++rows) graphs.Shift(rows, 1);
  CHECK(graphs.graph_count() == GraphRuns::kMaxGraphs);
  CHECK(graphs.Shift(most + 1, 7) == 8);
  CHECK(graphs.was_ordinary());
  CHECK(graphs.Shift(most, 7) == 8);
  CHECK_FALSE(graphs.was_ordinary());
}

TEST_CASE("nothing is recorded while another thread uses a GPU, but replayed it is") {
  Graphs graphs("shift/1");
  graphs.Shift(1, 0);
  graphs.Shift(1, 0);
  graphs.Shift(2, 0);
  const auto as_another_thread = [&](const auto& body) {
    const std::shared_lock busy(CaptureGate());
    std::thread(body).join();
  };
  as_another_thread([&] { CHECK(graphs.Shift(2, 5) == 6); });
  CHECK(graphs.was_ordinary());
  as_another_thread([&] { CHECK(graphs.Shift(1, 5) == 6); });
  CHECK_FALSE(graphs.was_ordinary());
  CHECK(graphs.Shift(2, 5) == 6);
  CHECK_FALSE(graphs.was_ordinary());
}

TEST_CASE("a driver that fails fails the run, no copy outlives it, and the next run answers") {
  Graphs graphs("shift/1");
  graphs.Shift(1, 0);
  graphs.Shift(1, 0);
  // Three calls for each use of the context: to copy, to wait, to copy back and to wait.
  for (long failing = 1; failing <= 12; ++failing) {
    CAPTURE(failing);
    graphs.standin().Set({.failing_call = failing, .failure = kLaunchFailed});
    CHECK_THROWS(graphs.Shift(1, 1));
    graphs.standin().Set({});
    CHECK(graphs.Shift(1, 2) == 3);
  }
}

TEST_CASE("a device without memory for a recording fails the run with its code") {
  Graphs graphs("shift/1");
  graphs.standin().Set({.taken_by_others = std::size_t{8} << 30U});
  const Error error = ErrorOf([&] { graphs.Shift(1, 1); });
  CHECK(CodeName(error) == "RESOURCE_EXHAUSTED");
  graphs.standin().Set({});
  CHECK(graphs.Shift(1, 1) == 2);
}

TEST_CASE("a session with graphs records on its stream, and gives all memory back") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  {
    Session session(Library(), ModelPath("shift/1"), {.device = device, .cuda = {.graphs = true}});
    CHECK(device->streams() == 1);
    for (const float x : {1.0F, 2.0F, 3.0F}) {
      Ort::RunOptions options;
      const auto inputs = One(MakeTensor<float>(DataType::kFp32, {x, x, x, x}, {1, 4}));
      const std::vector<std::size_t> wanted{0};
      const auto outputs = session.Run(options, inputs, wanted);
      CHECK(Elements<float>(outputs.at(0)) == std::vector<float>(4, x + 1));
    }
    CHECK(standin.counts().device_blocks == 2);
  }
  CHECK(standin.counts().device_blocks == 0);
  CHECK(standin.counts().streams == 0);
}

}  // namespace warmswap::test
