#include "core/gathered_batch.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/answer_format.h"
#include "support.h"

namespace warmswap::test {
namespace {

using namespace std::chrono_literals;
using Dimensions = std::vector<std::int64_t>;

constexpr std::size_t kMaxJoinedRows = 8;
const Clock::time_point kArrived{1h};

/// A request of FP32 inputs, all of whose values are its number.
struct Arrival {
  std::vector<Dimensions> shapes{{1, 2}};
  std::vector<std::size_t> outputs{0};
  Clock::time_point deadline = Clock::time_point::max();
};

class Arrivals {
 public:
  explicit Arrivals(GatheredBatch& batch) : batch_(batch) { Library(); }

  bool Add(std::uint64_t number, const Arrival& ask = {}) {
    std::vector<std::vector<float>> values;
    std::vector<TensorView> tensors;
    std::vector<TensorView*> inputs;
    for (const Dimensions& shape : ask.shapes) {
      values.emplace_back(ElementCount(shape).value(), static_cast<float>(number));
      tensors.push_back({DataType::kFp32, shape, AsBytes(values.back()), {}});
    }
    for (TensorView& tensor : tensors) inputs.push_back(&tensor);
    return batch_.Add({number, 0, format_, inputs, ask.outputs, kArrived, ask.deadline},
                      kMaxJoinedRows);
  }

  void ChangeFormat() { format_ = std::make_shared<const AnswerFormat>("other", 1, kNone); }

 private:
  static constexpr std::span<const TensorSpec* const> kNone{};

  GatheredBatch& batch_;
  std::shared_ptr<const AnswerFormat> format_ =
      std::make_shared<const AnswerFormat>("model", 1, kNone);
};

std::vector<std::uint64_t> MemberTickets(const GatheredBatch& batch) {
  std::vector<std::uint64_t> tickets;
  for (const GatheredBatch::Member& member : batch.members()) tickets.push_back(member.ticket);
  return tickets;
}

std::vector<float> JoinedValues(const GatheredBatch& batch, std::size_t input = 0) {
  return Elements<float>(batch.ToOrtValues().at(input));
}

Dimensions JoinedShape(const GatheredBatch& batch, std::size_t input = 0) {
  return test::ShapeOf(batch.ToOrtValues().at(input));
}

}  // namespace

TEST_CASE("inputs of requests of any number of rows lie behind one another") {
  GatheredBatch batch(TestBlocks());
  Arrivals requests(batch);
  REQUIRE(requests.Add(1));
  REQUIRE(requests.Add(2, {.shapes = {{2, 2}}}));
  CHECK(JoinedShape(batch) == Dimensions{3, 2});
  CHECK(JoinedValues(batch) == std::vector<float>{1, 1, 2, 2, 2, 2});
  CHECK(batch.rows() == 3);
  CHECK(batch.byte_size() == 24);
  CHECK(batch.first_byte_size() == 8);
  CHECK(batch.members()[1].rows == 2);
}

TEST_CASE("each input is joined by itself") {
  GatheredBatch batch(TestBlocks());
  Arrivals requests(batch);
  for (const std::uint64_t number : {1, 2}) {
    REQUIRE(requests.Add(number, {.shapes = {{1}, {1, 1, 2}}}));
  }
  CHECK(JoinedValues(batch, 0) == std::vector<float>{1, 2});
  CHECK(JoinedShape(batch, 1) == Dimensions{2, 1, 2});
  CHECK(JoinedValues(batch, 1) == std::vector<float>{1, 1, 2, 2});
}

TEST_CASE("what does not fit does not join, and changes nothing") {
  GatheredBatch batch(TestBlocks());
  Arrivals requests(batch);
  REQUIRE(requests.Add(1));
  for (const Arrival& other :
       {Arrival{.shapes = {{1, 3}}}, Arrival{.shapes = {{1, 2, 1}}}, Arrival{.shapes = {{0, 2}}},
        Arrival{.shapes = {{8, 2}}}, Arrival{.outputs = {1}}, Arrival{.outputs = {0, 1}}}) {
    CHECK_FALSE(requests.Add(2, other));
  }
  CHECK(requests.Add(3, {.shapes = {{7, 2}}}));
  CHECK(MemberTickets(batch) == std::vector<std::uint64_t>{1, 3});
}

TEST_CASE("nothing joins a request without rows, or whose inputs differ in them") {
  for (const Arrival& single : {Arrival{.shapes = {{0, 2}}}, Arrival{.shapes = {{}}},
                                Arrival{.shapes = {{1, 2}, {2, 2}}}, Arrival{.shapes = {{9, 2}}}}) {
    GatheredBatch batch(TestBlocks());
    Arrivals requests(batch);
    REQUIRE(requests.Add(1, single));
    CHECK_FALSE(requests.Add(2, single));
    CHECK(JoinedShape(batch, single.shapes.size() - 1) == single.shapes.back());
  }
}

TEST_CASE("those that are late leave, and the rows of the others close up") {
  GatheredBatch batch(TestBlocks());
  Arrivals requests(batch);
  const Clock::time_point soon = kArrived + 1ms;
  REQUIRE(requests.Add(1, {.deadline = soon}));
  REQUIRE(requests.Add(2, {.shapes = {{2, 2}}, .deadline = soon + 1ns}));
  REQUIRE(requests.Add(3, {.deadline = soon}));
  REQUIRE(requests.Add(4));
  std::vector<std::uint64_t> late;
  const auto on_late = [&](const GatheredBatch::Member& member) { late.push_back(member.ticket); };
  batch.DropLate(kArrived, on_late);
  CHECK(late.empty());
  batch.DropLate(soon, on_late);
  CHECK(late == std::vector<std::uint64_t>{1, 3});
  CHECK(MemberTickets(batch) == std::vector<std::uint64_t>{2, 4});
  CHECK(JoinedValues(batch) == std::vector<float>{2, 2, 2, 2, 4, 4});
  CHECK(batch.rows() == 3);
}

TEST_CASE("a batch whose members are all late is empty, also without rows") {
  for (const Arrival& ask :
       {Arrival{.deadline = kArrived}, Arrival{.shapes = {{0, 2}}, .deadline = kArrived}}) {
    GatheredBatch batch(TestBlocks());
    Arrivals requests(batch);
    REQUIRE(requests.Add(1, ask));
    batch.DropLate(kArrived, [](const GatheredBatch::Member&) {});
    CHECK(batch.empty());
    batch.Clear();
    REQUIRE(requests.Add(2));
    CHECK(JoinedValues(batch) == std::vector<float>{2, 2});
  }
}

TEST_CASE("a member alone has its own rows and the batch's outputs and format") {
  GatheredBatch batch(TestBlocks());
  Arrivals requests(batch);
  REQUIRE(requests.Add(1, {.outputs = {1}}));
  requests.ChangeFormat();
  REQUIRE(requests.Add(2, {.shapes = {{2, 2}}, .outputs = {1}}));
  const GatheredBatch alone = batch.Alone(1);
  CHECK(MemberTickets(alone) == std::vector<std::uint64_t>{2});
  CHECK(JoinedShape(alone) == Dimensions{2, 2});
  CHECK(JoinedValues(alone) == std::vector<float>{2, 2, 2, 2});
  CHECK(alone.outputs().front() == 1);
  const auto format_of = [](const GatheredBatch& of, std::size_t member) {
    return of.formats().at(of.members()[member].format);
  };
  CHECK(format_of(alone, 0) == format_of(batch, 1));
  CHECK(format_of(batch, 0) != format_of(batch, 1));
}

TEST_CASE("a batch that was cleared takes requests of another kind") {
  GatheredBatch batch(TestBlocks());
  Arrivals requests(batch);
  REQUIRE(requests.Add(1));
  batch.Clear();
  CHECK(batch.empty());
  REQUIRE(requests.Add(2, {.shapes = {{1, 3}, {1}}, .outputs = {1}}));
  CHECK(JoinedValues(batch, 0) == std::vector<float>{2, 2, 2});
  CHECK(JoinedValues(batch, 1) == std::vector<float>{2});
  const auto rows = static_cast<std::int64_t>(GatheredBatch::kMaxKeptBytes);
  batch.Clear();
  REQUIRE(requests.Add(3, {.shapes = {{rows}}}));
  batch.Clear();
  REQUIRE(requests.Add(4, {.shapes = {{2}}}));
  CHECK(JoinedValues(batch) == std::vector<float>{4, 4});
}

}  // namespace warmswap::test
