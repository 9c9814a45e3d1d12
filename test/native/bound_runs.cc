#include "core/bound_runs.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/session.h"
#include "cuda_standin.h"
#include "standin_device.h"
#include "support.h"

namespace warmswap::test {
namespace {

/// A session whose runs are bound, with everything that it needs.
struct BoundSession {
  CudaStandin standin;
  std::shared_ptr<StandinDevice> device = std::make_shared<StandinDevice>(standin);
  Session session;

  explicit BoundSession(std::string_view fixture)
      : session(Library(), ModelPath(fixture), {.device = device}) {}

  std::vector<Ort::Value> Run(const std::vector<Ort::Value>& inputs,
                              const std::vector<std::size_t>& outputs) {
    Ort::RunOptions options;
    return session.Run(options, inputs, outputs);
  }
};

std::vector<Ort::Value> MixedInputs() {
  auto values = One(MakeTensor<float>(DataType::kFp32, {1, 2, 3, 4, 5, 6}, {2, 3}));
  values.push_back(MakeTensor<std::int64_t>(DataType::kInt64, {5, -7}, {2}));
  return values;
}

}  // namespace

TEST_CASE("a bound run gives the outputs asked for, in that order") {
  BoundSession bound("mixed/1");
  const auto swapped = bound.Run(MixedInputs(), {1, 0});
  REQUIRE(swapped.size() == 2);
  CHECK(Elements<std::int64_t>(swapped[0]) == std::vector<std::int64_t>{10, -14});
  CHECK(Elements<float>(swapped[1]) == std::vector<float>{6, 15});
  const auto second = bound.Run(MixedInputs(), {1});
  REQUIRE(second.size() == 1);
  CHECK(Elements<std::int64_t>(second[0]) == std::vector<std::int64_t>{10, -14});
}

TEST_CASE("bound runs take any shape, one after the other") {
  BoundSession bound("shift/1");
  for (const std::int64_t rows : {1, 3, 0, 2}) {
    const std::vector<float> x(static_cast<std::size_t>(4 * rows), 5);
    const auto outputs = bound.Run(One(MakeTensor(DataType::kFp32, x, {rows, 4})), {0});
    CHECK(ShapeOf(outputs.at(0)) == std::vector<std::int64_t>{rows, 4});
    CHECK(Elements<float>(outputs.at(0)) == std::vector<float>(x.size(), 6));
  }
}

TEST_CASE("a bound run takes and gives strings") {
  BoundSession bound("identity-bytes/1");
  const std::vector<std::string> strings{"", std::string("a\0b", 3), "zwölf"};
  const auto outputs = bound.Run(One(ToOrtValue({DataType::kBytes, {3}, {}, strings})), {0});
  CHECK(StringElements(outputs.at(0)) == strings);
}

TEST_CASE("an output that a binding cannot give twice comes twice all the same") {
  BoundSession bound("shift/1");
  const auto outputs =
      bound.Run(One(MakeTensor<float>(DataType::kFp32, {0, 1, 2, 3}, {1, 4})), {0, 0});
  REQUIRE(outputs.size() == 2);
  for (const Ort::Value& output : outputs) {
    CHECK(Elements<float>(output) == std::vector<float>{1, 2, 3, 4});
  }
}

TEST_CASE("asking a bound run for no output, or for one that there is not, fails") {
  BoundSession bound("shift/1");
  const auto run = [&](const std::vector<std::size_t>& outputs) {
    bound.Run(One(MakeTensor<float>(DataType::kFp32, {0, 1, 2, 3}, {1, 4})), outputs);
  };
  CHECK_THROWS(run({}));
  CHECK_THROWS(run({1}));
  run({0});
}

TEST_CASE("a bound run that fails throws what ONNX Runtime says, and the session goes on") {
  BoundSession bound("fails-at-run/1");
  const auto run = [&](std::size_t count) {
    const std::vector<float> x(count, 1);
    return bound.Run(One(MakeTensor(DataType::kFp32, x, {static_cast<std::int64_t>(count)})), {0});
  };
  CHECK_THROWS_WITH(run(3), doctest::Contains("Reshape"));
  CHECK(ShapeOf(run(4).at(0)) == std::vector<std::int64_t>{2, 2});
}

TEST_CASE("many threads run one bound session at once, each with its own answer") {
  BoundSession bound("shift/1");
  std::vector<int> right(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&bound, &right, t] {
      for (int i = 0; i < 50; ++i) {
        const auto x = static_cast<float>(1000 * t + static_cast<std::size_t>(i));
        const auto outputs =
            bound.Run(One(MakeTensor<float>(DataType::kFp32, {x, x, x, x}, {1, 4})), {0});
        if (Elements<float>(outputs.at(0)) == std::vector<float>(4, x + 1)) ++right[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::vector<int>(4, 50));
}

TEST_CASE("a session of a device that binds nothing answers as one that does, but cannot record") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  Session session(Library(), ModelPath("shift/1"), {.device = device, .cuda = {.binding = false}});
  Ort::RunOptions options;
  const auto inputs = One(MakeTensor<float>(DataType::kFp32, {0, 1, 2, 3}, {1, 4}));
  const std::vector<std::size_t> wanted{0};
  const auto outputs = session.Run(options, inputs, wanted);
  CHECK(Elements<float>(outputs.at(0)) == std::vector<float>{1, 2, 3, 4});
  const CudaOptions recorded{.graphs = true, .binding = false};
  CHECK_THROWS_WITH(Validate(recorded), "cuda: graphs want binding");
}

TEST_CASE("a bound run shrinks the arena that is named, which there must be") {
  BoundSession bound("shift/1");
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
  Ort::Session session(Library().env(), ModelPath("shift/1").c_str(), Ort::SessionOptions());
  const SessionRef ref{session, bound.session.inputs(), bound.session.outputs()};
  const auto inputs = One(MakeTensor<float>(DataType::kFp32, {0, 1, 2, 3}, {1, 4}));
  const std::vector<std::size_t> wanted{0};
  Ort::RunOptions options;
  const auto outputs = BoundRuns(ref, memory, "cpu:0").Run(options, inputs, wanted);
  CHECK(Elements<float>(outputs.at(0)) == std::vector<float>{1, 2, 3, 4});
  Ort::RunOptions others;
  CHECK_THROWS(BoundRuns(ref, memory, "gpu:0").Run(others, inputs, wanted));
}

}  // namespace warmswap::test
