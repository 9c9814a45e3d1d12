#include "core/infer_lane.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/answer_format.h"
#include "core/answer_sink.h"
#include "core/msgpack.h"
#include "support.h"

namespace warmswap::test {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<std::byte>;

struct Ask {
  std::string model = "shift";
  std::optional<std::uint64_t> version = std::nullopt;
  std::optional<std::string> label = std::nullopt;
  std::size_t rows = 1;
  float x = 0;
  std::string input = "x";
  std::optional<std::uint64_t> priority = std::nullopt;
  std::optional<double> deadline_ms = std::nullopt;
};

void WriteInputs(MsgpackWriter& writer, const Ask& ask) {
  const std::vector<float> values(4 * ask.rows, ask.x);
  writer.String("inputs");
  writer.Map(1);
  writer.String(ask.input);
  writer.Map(3);
  writer.String("data");
  writer.Binary(AsBytes(values));
  writer.String("shape");
  writer.Array(2);
  writer.Unsigned(ask.rows);
  writer.Unsigned(4);
  writer.String("datatype");
  writer.String("FP32");
}

Bytes Frame(const Ask& ask) {
  Bytes bytes(1024 + 16 * ask.rows);
  MsgpackWriter writer(bytes.data());
  writer.Array(4);
  writer.Unsigned(0);
  writer.Unsigned(7);
  writer.String("infer");
  writer.Array(1);
  writer.Map(2U + (ask.version ? 1U : 0U) + (ask.label ? 1U : 0U) + (ask.priority ? 1U : 0U) +
             (ask.deadline_ms ? 1U : 0U));
  WriteInputs(writer, ask);
  writer.String("model");
  writer.String(ask.model);
  if (ask.version) writer.String("version"), writer.Unsigned(*ask.version);
  if (ask.label) writer.String("label"), writer.String(*ask.label);
  if (ask.priority) writer.String("priority"), writer.Unsigned(*ask.priority);
  if (ask.deadline_ms) writer.String("deadlineMs"), writer.Float(*ask.deadline_ms);
  bytes.resize(static_cast<std::size_t>(writer.end() - bytes.data()));
  return bytes;
}

/// What a lane has told.
class LaneAnswers final : public AnswerSink {
 public:
  void OnResult(std::uint64_t ticket, const Reply& reply, const RunResult& result) override {
    done.push_back({ticket, reply, result});
  }
  void OnError(std::uint64_t ticket, const Error& error) override {
    done.push_back({ticket, {}, error});
  }

  std::vector<Completion> done;
};

/// The model `shift`, and a lane that routes to it.
struct Fixture {
  explicit Fixture(Execution execution, RunnerOptions runner = {}) {
    ModelOptions options;
    options.model_path = ModelPath("shift/1");
    options.runner = runner;
    options.execution = execution;
    model = std::make_shared<Model>(Library(), options, completions.Callback());
    lane.SetRoutes(RouteTable(Routes()));
  }

  std::vector<Route> Routes() const {
    std::vector<const TensorSpec*> outputs;
    for (const TensorSpec& spec : model->outputs()) outputs.push_back(&spec);
    const auto format = std::make_shared<const AnswerFormat>("shift", 1, outputs);
    const Route active{"shift", {}, {}, 1, model, {}, format};
    Route pinned = active;
    pinned.version = 1;
    Route labelled = active;
    labelled.label = "stable";
    return {active, pinned, labelled};
  }

  std::optional<InferLane::Accepted> Accept(const Ask& ask, std::uint64_t ticket) {
    const Bytes frame = Frame(ask);
    return lane.Accept(frame, ticket, told);
  }

  /// All that the lane has told since it was last asked.
  std::vector<Completion> EndTurn() {
    lane.EndTurn(told);
    return std::exchange(told.done, {});
  }

  Completions completions;
  std::shared_ptr<Model> model;
  InferLane lane;
  LaneAnswers told;
};

}  // namespace

TEST_CASE("a short run is done when its request is accepted") {
  Fixture fixture(Execution::kInline);
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto accepted = fixture.Accept({.x = static_cast<float>(i)}, 10 + i);
    REQUIRE(accepted.has_value());
    CHECK(accepted->route == 0);
    CHECK(accepted->msgid == 7);
    CHECK(accepted->is_done);
    const std::vector<Completion> done = std::exchange(fixture.told.done, {});
    REQUIRE(done.size() == 1);
    CHECK(done[0].ticket == 10 + i);
    const auto& result = std::get<RunResult>(done[0].outcome);
    CHECK(Elements<float>(result) == std::vector<float>(4, static_cast<float>(i) + 1));
    CHECK(result.batch_size == 1);
  }
  CHECK(fixture.completions.count() == 0);
  CHECK(fixture.EndTurn().empty());
  CHECK(fixture.model->ReadStatistics().succeeded == 3);
}

TEST_CASE("short runs of a batched model are done together at the end of the turn") {
  Fixture fixture(Execution::kInline, {.max_batch = 4});
  for (std::uint64_t i = 0; i < 4; ++i) {
    REQUIRE(fixture.Accept({.rows = i == 1 ? 2U : 1U, .x = static_cast<float>(i)}, i));
  }
  const std::vector<Completion> done = fixture.EndTurn();
  REQUIRE(done.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& result = std::get<RunResult>(done[i].outcome);
    CHECK(result.batch_size == (i < 3 ? 3 : 1));
    CHECK(result.Shape(0) == std::vector<std::int64_t>{i == 1 ? 2 : 1, 4});
    CHECK(Elements<float>(result).front() == static_cast<float>(i) + 1);
  }
}

TEST_CASE("other requests go to the runner threads, which are woken at the end of the turn") {
  Fixture fixture(Execution::kThreaded);
  REQUIRE(fixture.Accept({.x = 1}, 1));
  REQUIRE(fixture.Accept({.x = 2}, 2));
  CHECK(fixture.EndTurn().empty());
  REQUIRE(fixture.completions.WaitFor(2));
  CHECK(Elements<float>(fixture.completions.TakeResult(2)).front() == 3);
}

TEST_CASE("requests by version and by label take their routes") {
  Fixture fixture(Execution::kInline, {.max_batch = 2});
  CHECK(fixture.Accept({.version = 1}, 1)->route == 1);
  CHECK(fixture.Accept({.label = "stable"}, 2)->route == 2);
  CHECK(fixture.EndTurn().size() == 2);
}

TEST_CASE("what the lane does not serve is left alone, and counted nowhere") {
  Fixture fixture(Execution::kThreaded, {.threads = 0});
  CHECK_FALSE(fixture.Accept({.model = "other"}, 1));
  CHECK_FALSE(fixture.Accept({.version = 2}, 1));
  CHECK_FALSE(fixture.Accept({.label = "canary"}, 1));
  CHECK_FALSE(fixture.Accept({.input = "y"}, 1));
  CHECK_FALSE(fixture.Accept({.priority = 1}, 1));
  const StatisticsSnapshot statistics = fixture.model->ReadStatistics();
  for (const std::uint64_t failed : statistics.failed) CHECK(failed == 0);
}

TEST_CASE("a full queue refuses in the lane, and counts it, whatever is wrong comes first") {
  Fixture fixture(Execution::kThreaded, {.threads = 0, .queue_capacity = 2});
  for (std::uint64_t ticket : {1, 2}) CHECK_FALSE(fixture.Accept({}, ticket)->refused);
  const auto refused = fixture.Accept({}, 3);
  REQUIRE(refused.has_value());
  CHECK(refused->msgid == 7);
  CHECK_FALSE(refused->is_done);
  CHECK(fixture.told.done.empty());
  CHECK(CodeName(refused->refused.value()) == "RESOURCE_EXHAUSTED");
  CHECK(std::string(refused->refused->what()) == "the queue is full: 2 requests are waiting");
  CHECK_FALSE(fixture.Accept({.input = "y"}, 4));
  const StatisticsSnapshot statistics = fixture.model->ReadStatistics();
  CHECK(statistics.failed.at(static_cast<std::size_t>(ErrorCode::kResourceExhausted)) == 1);
  CHECK(fixture.completions.count() == 0);
}

TEST_CASE("a more urgent request takes the place of the last one of the least urgent") {
  Fixture fixture(Execution::kThreaded, {.threads = 0, .queue_capacity = 2, .priorities = 3});
  REQUIRE(fixture.Accept({.priority = 2}, 1));
  REQUIRE(fixture.Accept({.priority = 2}, 2));
  CHECK(fixture.Accept({.priority = 2}, 3)->refused);
  CHECK_FALSE(fixture.Accept({}, 4)->refused);
  CHECK_FALSE(fixture.Accept({.priority = 0}, 5)->refused);
  CHECK(fixture.completions.CodeOf(2) == "RESOURCE_EXHAUSTED");
  CHECK(fixture.completions.CodeOf(1) == "RESOURCE_EXHAUSTED");
  CHECK(fixture.Accept({}, 6)->refused);
}

TEST_CASE("what waits too long makes room in the lane, and ends when it is looked for") {
  Fixture fixture(Execution::kThreaded, {.threads = 0, .queue_capacity = 2});
  REQUIRE(fixture.Accept({.deadline_ms = 0.001}, 1));
  REQUIRE(fixture.Accept({.deadline_ms = 60'000}, 2));
  CHECK(fixture.lane.TakeEarliestDeadline() < Clock::now() + 1s);
  CHECK(fixture.lane.TakeEarliestDeadline() == Clock::time_point::max());
  const auto then = Clock::now() + 1ms;
  while (Clock::now() < then) continue;
  CHECK_FALSE(fixture.Accept({}, 3)->refused);
  CHECK(fixture.completions.CodeOf(1) == "DEADLINE_EXCEEDED");
}

TEST_CASE("a deadline that has passed at the end of the turn is too late") {
  Fixture fixture(Execution::kInline, {.max_batch = 2});
  REQUIRE(fixture.Accept({.deadline_ms = 0.001}, 1));
  REQUIRE(fixture.Accept({.deadline_ms = 60'000}, 2));
  const auto then = Clock::now() + 1ms;
  while (Clock::now() < then) continue;
  const std::vector<Completion> done = fixture.EndTurn();
  REQUIRE(done.size() == 2);
  CHECK(CodeName(std::get<Error>(done[0].outcome)) == "DEADLINE_EXCEEDED");
  CHECK(std::holds_alternative<RunResult>(done[1].outcome));
}

TEST_CASE("what waits for a model that goes away in the same turn is UNAVAILABLE") {
  Fixture fixture(Execution::kInline, {.max_batch = 2});
  REQUIRE(fixture.Accept({}, 1));
  fixture.model.reset();
  const std::vector<Completion> done = fixture.EndTurn();
  REQUIRE(done.size() == 1);
  CHECK(CodeName(std::get<Error>(done[0].outcome)) == "UNAVAILABLE");
  CHECK_FALSE(fixture.Accept({}, 2));
}

TEST_CASE("an answer is packed as the contract has it") {
  Fixture fixture(Execution::kInline, {.max_batch = 8});
  REQUIRE(fixture.Accept({.x = 4}, 1));
  REQUIRE(fixture.Accept({.rows = 2, .x = 5}, 2));
  const std::vector<Completion> done = fixture.EndTurn();
  const auto& result = std::get<RunResult>(done.at(1).outcome);
  const Reply& reply = done[1].reply.value();
  Bytes bytes(reply.format->MaxSize(result));
  const std::byte* end = reply.format->Write(bytes.data(), reply.msgid, result);
  REQUIRE(end <= bytes.data() + bytes.size());
  bytes.resize(static_cast<std::size_t>(end - bytes.data()));
  MsgpackReader reader(bytes);
  CHECK(reader.Array() == 4);
  CHECK(reader.Unsigned() == 1);
  CHECK(reader.Unsigned() == 7);
  CHECK(reader.ok());
}

}  // namespace warmswap::test
