#pragma once

#include <cstdint>

#include "core/error.h"
#include "core/request.h"
#include "core/run_result.h"

namespace warmswap {

/// Is told what becomes of requests, one by one, on the thread that runs them. What it is given is
/// the caller's.
class AnswerSink {
 public:
  AnswerSink() = default;
  AnswerSink(const AnswerSink&) = delete;
  AnswerSink& operator=(const AnswerSink&) = delete;

  virtual void OnResult(std::uint64_t ticket, const Reply& reply, const RunResult& result) = 0;
  virtual void OnError(std::uint64_t ticket, const Error& error) = 0;

 protected:
  ~AnswerSink() = default;
};

}  // namespace warmswap
