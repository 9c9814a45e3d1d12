#include "core/kept_run.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "core/answer_format.h"
#include "core/session.h"
#include "support.h"

namespace warmswap::test {
namespace {

/// Runs a fixture that takes one FP32 tensor, always from the same memory.
class KeptFixture {
 public:
  explicit KeptFixture(const char* name) : session_(Library(), ModelPath(name), SessionOptions()) {}

  std::shared_ptr<const RunOutputs> Run(std::vector<std::int64_t> shape,
                                        std::vector<float> values) {
    TensorView tensor{DataType::kFp32, std::move(shape), AsBytes(values), {}};
    TensorView* const input = &tensor;
    const std::vector<std::size_t> first{0};
    batch_.Clear();
    REQUIRE(batch_.Add({1, 1, format_, {&input, 1}, first, {}, Clock::time_point::max()}, 8));
    return kept_.Run(options_, session_, batch_);
  }

 private:
  Session session_;
  Ort::RunOptions options_;
  GatheredBatch batch_{TestBlocks()};
  KeptRun kept_;
  const std::shared_ptr<const AnswerFormat> format_ =
      std::make_shared<const AnswerFormat>("model", 1, std::span<const TensorSpec* const>());
};

std::vector<float> ValuesIn(const RunOutputs& outputs) {
  return Elements<float>(RunResult{{&outputs, [](const RunOutputs*) {}}, {}});
}

}  // namespace

TEST_CASE("each run of one shape gives its own values, from the third on in the same memory") {
  KeptFixture fixture("shift/1");
  std::set<const std::byte*> places;
  for (int i = 0; i < 10; ++i) {
    const auto x = static_cast<float>(i);
    const auto outputs = fixture.Run({1, 4}, {x, x + 1, x + 2, x + 3});
    CHECK(ValuesIn(*outputs) == std::vector<float>{x + 1, x + 2, x + 3, x + 4});
    CHECK(outputs->tensors()[0].shape == std::vector<std::int64_t>{1, 4});
    if (i >= 2) places.insert(outputs->tensors()[0].data.data());
  }
  CHECK(places.size() == 1);
}

TEST_CASE("outputs that somebody holds stay as they are") {
  KeptFixture fixture("shift/1");
  std::vector<std::shared_ptr<const RunOutputs>> held;
  for (int i = 0; i < 8; ++i) {
    held.push_back(fixture.Run({1, 4}, std::vector<float>(4, static_cast<float>(i))));
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    CHECK(ValuesIn(*held[i]) == std::vector<float>(4, static_cast<float>(i) + 1));
  }
}

TEST_CASE("shapes may change from run to run") {
  KeptFixture fixture("shift/1");
  for (const std::int64_t rows : {1, 1, 1, 2, 1, 2, 2, 2, 3, 0, 0, 0, 1}) {
    const std::vector<float> values(4 * static_cast<std::size_t>(rows), static_cast<float>(rows));
    const auto outputs = fixture.Run({rows, 4}, values);
    CHECK(outputs->tensors()[0].shape == std::vector<std::int64_t>{rows, 4});
    CHECK(ValuesIn(*outputs) == std::vector<float>(values.size(), static_cast<float>(rows) + 1));
  }
}

TEST_CASE("outputs too long to be kept are right too") {
  KeptFixture fixture("shift/1");
  const std::size_t rows = KeptRun::kMaxOutputBytes / 16 + 1;
  for (int i = 0; i < 4; ++i) {
    const std::vector<float> values(4 * rows, static_cast<float>(i));
    const auto outputs = fixture.Run({static_cast<std::int64_t>(rows), 4}, values);
    CHECK(ValuesIn(*outputs) == std::vector<float>(4 * rows, static_cast<float>(i) + 1));
  }
}

TEST_CASE("a run that fails does so as without anything kept, and the next one succeeds") {
  KeptFixture fixture("fails-at-run/1");
  for (int i = 0; i < 4; ++i) {
    CHECK(ValuesIn(*fixture.Run({2}, {1, 2})) == std::vector<float>{1, 2});
    CHECK_THROWS_AS(fixture.Run({1}, {1}), Ort::Exception);
  }
}

}  // namespace warmswap::test
