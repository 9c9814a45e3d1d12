#include "core/statistics.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

#include "core/model.h"
#include "core/runner.h"
#include "core/session.h"
#include "support.h"

namespace warmswap::test {
namespace {

using namespace std::chrono_literals;

std::uint64_t Total(const Histogram::Snapshot& histogram) {
  return std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::uint64_t{0});
}

}  // namespace

TEST_CASE("bucket i of a histogram counts values up to 2^i, the last all that are bigger") {
  Histogram histogram;
  for (const std::uint64_t value : {0, 1, 2, 3, 4, 5}) histogram.Add(value);
  histogram.Add(std::uint64_t{1} << 60);
  const Histogram::Snapshot read = histogram.Read();
  CHECK(read.counts[0] == 2);
  CHECK(read.counts[1] == 1);
  CHECK(read.counts[2] == 2);
  CHECK(read.counts[3] == 1);
  CHECK(read.counts[Histogram::kBuckets - 1] == 1);
  CHECK(read.sum == 15 + (std::uint64_t{1} << 60));
}

TEST_CASE("many threads count while another reads, and nothing is lost") {
  Statistics statistics;
  constexpr std::uint64_t kEach = 20'000;
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i) {
    writers.emplace_back([&] {
      for (std::uint64_t n = 0; n < kEach; ++n) {
        statistics.CountSuccess({1, 2, 3, 4});
        statistics.CountFailure(ErrorCode::kCancelled);
        statistics.AddQueued(1us);
        statistics.AddRun(2, 3us);
        statistics.AddBatchCopies(1us, 1us);
      }
    });
  }
  for (int i = 0; i < 100; ++i) CHECK(statistics.Read().succeeded <= 3 * kEach);
  for (std::thread& writer : writers) writer.join();
  const StatisticsSnapshot read = statistics.Read();
  CHECK(read.succeeded == 3 * kEach);
  CHECK(read.failed[static_cast<std::size_t>(ErrorCode::kCancelled)] == 3 * kEach);
  CHECK(read.rows_in == 3 * kEach);
  CHECK(read.rows_out == 6 * kEach);
  CHECK(read.bytes_in == 9 * kEach);
  CHECK(read.bytes_out == 12 * kEach);
  for (const auto& histogram :
       {read.batch_size, read.queue_us, read.assemble_us, read.run_us, read.split_us}) {
    CHECK(Total(histogram) == 3 * kEach);
  }
}

TEST_CASE("a runner counts what it ran together, what came in and what went out") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, {.max_batch = 6, .max_delay = kPatience}, completions.Callback());
  runner.Submit(ShiftRows(1, 1, 0));
  runner.Submit(ShiftRows(2, 3, 0));
  runner.Submit(ShiftRows(3, 2, 0));
  REQUIRE(completions.WaitFor(3));
  const StatisticsSnapshot read = runner.ReadStatistics();
  CHECK(read.succeeded == 3);
  CHECK(read.rows_in == 6);
  CHECK(read.rows_out == 6);
  CHECK(read.bytes_in == 6 * 4 * sizeof(float));
  CHECK(read.bytes_out == 6 * 4 * sizeof(float));
  CHECK(read.batch_size.counts[2] == 1);
  CHECK(read.batch_size.sum == 3);
  CHECK(Total(read.queue_us) == 3);
  CHECK(Total(read.run_us) == 1);
  CHECK(Total(read.assemble_us) == 1);
}

TEST_CASE("a model counts failures by code, also of requests that it refused") {
  ModelOptions options;
  options.model_path = ModelPath("shift/1");
  options.runner = {.threads = 0, .queue_capacity = 1};
  Completions completions;
  Model model(Library(), options, completions.Callback());
  model.Submit(ShiftRequest(1));
  ErrorOf([&] { model.Submit(ShiftRequest(2)); });
  CHECK_FALSE(model.TrySubmit(ShiftRequest(2)));
  model.Cancel(1);
  model.Submit(ShiftRequest(3));
  model.Stop();
  const auto failed = model.ReadStatistics().failed;
  CHECK(failed[static_cast<std::size_t>(ErrorCode::kResourceExhausted)] == 1);
  CHECK(failed[static_cast<std::size_t>(ErrorCode::kCancelled)] == 1);
  CHECK(failed[static_cast<std::size_t>(ErrorCode::kUnavailable)] == 1);
  CHECK(model.ReadStatistics().succeeded == 0);
}

}  // namespace warmswap::test
