#include "core/inline_runner.h"

#include <algorithm>
#include <utility>

#include "core/batch.h"
#include "core/request_errors.h"

namespace warmswap {

std::vector<Completion> InlineRunner::Run(std::vector<Request> requests) {
  std::vector<Completion> done;
  done.reserve(requests.size());
  const Clock::time_point now = Clock::now();
  std::erase_if(requests, [&](Request& request) {
    if (now < request.deadline) return false;
    done.push_back(executor_.Complete(request, TooLate()));
    return true;
  });
  if (max_batch_ > 1) std::ranges::for_each(requests, MarkForBatching);
  for (std::span<Request> rest = requests; !rest.empty();) {
    const std::span<Request> batch = LeadingBatch(rest);
    RunTogether(batch, done);
    rest = rest.subspan(batch.size());
  }
  return done;
}

std::span<Request> InlineRunner::LeadingBatch(std::span<Request> requests) const {
  std::size_t count = 1;
  std::size_t rows = requests.front().rows;
  while (count < requests.size() &&
         FitsBatch(requests.front(), rows, requests[count], max_batch_)) {
    rows += requests[count++].rows;
  }
  return requests.first(count);
}

void InlineRunner::RunTogether(std::span<Request> batch, std::vector<Completion>& done) {
  if (batch.size() == 1) {
    done.push_back(RunOne(std::move(batch.front())));
    return;
  }
  try {
    std::vector<RunResult> results = executor_.Run(options_, batch, Clock::now());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      done.push_back(executor_.Complete(batch[i], std::move(results[i])));
    }
  } catch (...) {
    // Whose fault it was, and whether it was one at all, shows when each runs alone.
    for (Request& request : batch) done.push_back(RunOne(std::move(request)));
  }
}

Completion InlineRunner::RunOne(Request request) {
  return executor_.Complete(request, OutcomeOf(request));
}

RunOutcome InlineRunner::OutcomeOf(const Request& request) {
  try {
    return std::move(executor_.Run(options_, {&request, 1}, Clock::now()).front());
  } catch (...) {
    return CurrentExceptionAsError();
  }
}

}  // namespace warmswap
