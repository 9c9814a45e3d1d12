#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "addon/napi.h"
#include "core/error.h"
#include "core/request.h"
#include "core/run_result.h"

namespace warmswap {

/// Hands packed answers to JavaScript, many with one call, through memory that both sides keep.
/// For the JavaScript thread only.
class AnswerPage {
 public:
  static constexpr std::size_t kAcceptedFields = 4;
  /// Longer answers do not go through the page.
  static constexpr std::size_t kMaxAnswerBytes = 64 * 1024;

  /// `{ page: ArrayBuffer, index: Float64Array, accepted: Float64Array, onAnswers(count) }`. When
  /// `onAnswers` is called, the index has ticket, offset in the page and length of each answer;
  /// afterwards both are used again. Throws kInvalidArgument where they are too small for one
  /// answer.
  explicit AnswerPage(const Napi::Object& answers);

  /// Packs one answer, first calling `onAnswers` if there is no room. `max_size` is the format's
  /// MaxSize of it, at most kMaxAnswerBytes.
  void Add(std::uint64_t ticket, const Reply& reply, const RunResult& result, std::size_t max_size);

  /// Packs one answer of at most kMaxAnswerBytes at the page's beginning, for JavaScript to send
  /// before anything else happens, and gives its length. Nothing may wait for Deliver.
  std::size_t WriteAlone(const Reply& reply, const RunResult& result);

  /// The same of the answer to a request that failed with an error without details.
  std::size_t WriteAlone(std::uint32_t msgid, const Error& error);

  /// Calls `onAnswers` if anything was added since.
  void Deliver();

  /// Four numbers for what is to be known of a request that was just accepted.
  std::span<double, kAcceptedFields> accepted() const noexcept {
    return std::span<double, kAcceptedFields>(accepted_fields_, kAcceptedFields);
  }

  /// Lets go of JavaScript's memory.
  void Close();

 private:
  static constexpr std::size_t kIndexFields = 3;

  Napi::Reference<Napi::ArrayBuffer> page_;
  Napi::Reference<Napi::Float64Array> index_;
  Napi::Reference<Napi::Float64Array> accepted_;
  Napi::FunctionReference on_answers_;
  std::byte* bytes_ = nullptr;
  std::size_t size_ = 0;
  double* fields_ = nullptr;
  double* accepted_fields_ = nullptr;
  std::size_t max_count_ = 0;
  std::size_t used_ = 0;
  std::size_t count_ = 0;
};

}  // namespace warmswap
