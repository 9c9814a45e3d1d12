#include "core/inline_runner.h"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/answer_format.h"
#include "core/session.h"
#include "support.h"

namespace warmswap::test {
namespace {

using namespace std::chrono_literals;

/// Gets answers as a connection does.
class InlineAnswers final : public AnswerSink {
 public:
  void OnResult(std::uint64_t ticket, const Reply& reply, const RunResult& result) override {
    REQUIRE(reply.format);
    msgids[ticket] = reply.msgid;
    values[ticket] = Elements<float>(result);
    queued[ticket] = result.queued;
  }
  void OnError(std::uint64_t ticket, const Error& error) override {
    codes[ticket] = CodeName(error);
  }

  std::map<std::uint64_t, std::uint32_t> msgids;
  std::map<std::uint64_t, std::vector<float>> values;
  std::map<std::uint64_t, std::chrono::nanoseconds> queued;
  std::map<std::uint64_t, std::string> codes;
};

/// A fixture that takes one FP32 tensor, run inline.
class InlineFixture {
 public:
  explicit InlineFixture(const char* name)
      : session_(std::make_shared<Session>(Library(), ModelPath(name), SessionOptions())),
        executor_(session_, Execution::kInline, TestBlocks()) {}

  void Add(std::uint64_t ticket, std::vector<std::int64_t> shape, std::vector<float> values,
           Clock::time_point deadline = Clock::time_point::max()) {
    TensorView tensor{DataType::kFp32, std::move(shape), AsBytes(values), {}};
    TensorView* const input = &tensor;
    const auto msgid = static_cast<std::uint32_t>(100 + ticket);
    REQUIRE(batch_.Add({ticket, msgid, format_, {&input, 1}, kFirst, began_, deadline}, 100));
  }

  const InlineAnswers& Run(Clock::time_point now) {
    runner_.Run(batch_, now, told_);
    return told_;
  }

  Clock::time_point began() const { return began_; }
  StatisticsSnapshot statistics() const { return executor_.ReadStatistics(); }

 private:
  static constexpr std::array<std::size_t, 1> kFirst{0};

  const Clock::time_point began_ = Clock::now();
  std::shared_ptr<Session> session_;
  Executor executor_;
  InlineRunner runner_{executor_};
  GatheredBatch batch_{TestBlocks()};
  InlineAnswers told_;
  const std::shared_ptr<const AnswerFormat> format_ =
      std::make_shared<const AnswerFormat>("model", 1, std::span<const TensorSpec* const>());
};

}  // namespace

TEST_CASE("each member of a batch gets its rows, under its own msgid") {
  InlineFixture fixture("shift/1");
  fixture.Add(1, {1, 4}, {1, 2, 3, 4});
  fixture.Add(2, {2, 4}, {5, 6, 7, 8, 9, 10, 11, 12});
  const InlineAnswers& told = fixture.Run(fixture.began() + 3ms);
  CHECK(told.codes.empty());
  CHECK(told.values.at(1) == std::vector<float>{2, 3, 4, 5});
  CHECK(told.values.at(2) == std::vector<float>{6, 7, 8, 9, 10, 11, 12, 13});
  CHECK(told.msgids.at(1) == 101);
  CHECK(told.msgids.at(2) == 102);
  CHECK(told.queued.at(2) == 3ms);
}

TEST_CASE("a batch is counted as its members are") {
  InlineFixture fixture("shift/1");
  fixture.Add(1, {1, 4}, {1, 2, 3, 4});
  fixture.Add(2, {2, 4}, {5, 6, 7, 8, 9, 10, 11, 12});
  fixture.Add(3, {1, 4}, {1, 2, 3, 4}, fixture.began());
  fixture.Run(fixture.began());
  const StatisticsSnapshot read = fixture.statistics();
  CHECK(read.succeeded == 2);
  CHECK(read.failed.at(static_cast<std::size_t>(ErrorCode::kDeadlineExceeded)) == 1);
  CHECK(read.rows_in == 3);
  CHECK(read.rows_out == 3);
  CHECK(read.bytes_in == 48);
  CHECK(read.bytes_out == 48);
  CHECK(read.batch_size.sum == 2);
}

TEST_CASE("where a batch fails each member runs alone") {
  InlineFixture fixture("fails-at-run/1");
  fixture.Add(1, {2}, {1, 2});
  fixture.Add(2, {1}, {3});
  fixture.Add(3, {4}, {4, 5, 6, 7});
  const InlineAnswers& told = fixture.Run(fixture.began());
  CHECK(told.values.size() == 2);
  CHECK(told.values.at(1) == std::vector<float>{1, 2});
  CHECK(told.values.at(3) == std::vector<float>{4, 5, 6, 7});
  CHECK(told.codes.size() == 1);
  CHECK(told.codes.contains(2));
  CHECK(fixture.statistics().succeeded == 2);
}

}  // namespace warmswap::test
