#include "addon/answer_page.h"

#include <utility>

#include "core/answer_format.h"
#include "core/error.h"
#include "core/error_answer.h"

namespace warmswap {
namespace {

Napi::Float64Array ToNumbers(const Napi::Value& value, std::size_t min_count) {
  if (!value.IsTypedArray() ||
      value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array ||
      value.As<Napi::TypedArray>().ElementLength() < min_count) {
    throw Error(ErrorCode::kInvalidArgument,
                "expected a Float64Array of at least " + std::to_string(min_count) + " numbers");
  }
  return value.As<Napi::Float64Array>();
}

}  // namespace

AnswerPage::AnswerPage(const Napi::Object& answers) {
  const Napi::Value page = answers.Get("page");
  const Napi::Value on_answers = answers.Get("onAnswers");
  if (!page.IsArrayBuffer() || !on_answers.IsFunction()) {
    throw Error(ErrorCode::kInvalidArgument,
                "answers must be { page: ArrayBuffer, index: Float64Array, accepted: Float64Array, "
                "onAnswers }");
  }
  page_ = Napi::Persistent(page.As<Napi::ArrayBuffer>());
  index_ = Napi::Persistent(ToNumbers(answers.Get("index"), kIndexFields));
  accepted_ = Napi::Persistent(ToNumbers(answers.Get("accepted"), kAcceptedFields));
  on_answers_ = Napi::Persistent(on_answers.As<Napi::Function>());
  bytes_ = static_cast<std::byte*>(page_.Value().Data());
  size_ = page_.Value().ByteLength();
  fields_ = index_.Value().Data();
  max_count_ = index_.Value().ElementLength() / kIndexFields;
  accepted_fields_ = accepted_.Value().Data();
  if (size_ < kMaxAnswerBytes) {
    throw Error(ErrorCode::kInvalidArgument,
                "the page must have at least " + std::to_string(kMaxAnswerBytes) + " bytes");
  }
}

void AnswerPage::Add(std::uint64_t ticket, const Reply& reply, const RunResult& result,
                     std::size_t max_size) {
  if (max_size > size_ - used_ || count_ == max_count_) Deliver();
  const std::byte* end = reply.format->Write(bytes_ + used_, reply.msgid, result);
  const auto length = static_cast<std::size_t>(end - bytes_) - used_;
  double* field = fields_ + kIndexFields * count_++;
  field[0] = static_cast<double>(ticket);
  field[1] = static_cast<double>(used_);
  field[2] = static_cast<double>(length);
  used_ += length;
}

std::size_t AnswerPage::WriteAlone(const Reply& reply, const RunResult& result) {
  return static_cast<std::size_t>(reply.format->Write(bytes_, reply.msgid, result) - bytes_);
}

std::size_t AnswerPage::WriteAlone(std::uint32_t msgid, const Error& error) {
  if (MaxErrorAnswerSize(error) > size_) throw Error(error);
  return static_cast<std::size_t>(WriteErrorAnswer(bytes_, msgid, error) - bytes_);
}

void AnswerPage::Deliver() {
  used_ = 0;
  const std::size_t count = std::exchange(count_, 0);
  if (count > 0) {
    on_answers_.Call({Napi::Number::New(on_answers_.Env(), static_cast<double>(count))});
  }
}

void AnswerPage::Close() {
  page_.Reset();
  index_.Reset();
  accepted_.Reset();
  on_answers_.Reset();
}

}  // namespace warmswap
