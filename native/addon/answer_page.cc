#include "addon/answer_page.h"

#include <utility>

#include "core/answer_format.h"
#include "core/error.h"
#include "core/error_answer.h"

namespace warmswap {

AnswerPage::AnswerPage(const Napi::Object& answers) {
  const Napi::Value page = answers.Get("page");
  const Napi::Value index = answers.Get("index");
  const Napi::Value on_answers = answers.Get("onAnswers");
  if (!page.IsArrayBuffer() || !index.IsTypedArray() || !on_answers.IsFunction() ||
      index.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
    throw Error(ErrorCode::kInvalidArgument,
                "answers must be { page: ArrayBuffer, index: Float64Array, onAnswers }");
  }
  page_ = Napi::Persistent(page.As<Napi::ArrayBuffer>());
  index_ = Napi::Persistent(index.As<Napi::Float64Array>());
  on_answers_ = Napi::Persistent(on_answers.As<Napi::Function>());
  bytes_ = static_cast<std::byte*>(page_.Value().Data());
  size_ = page_.Value().ByteLength();
  fields_ = index_.Value().Data();
  max_count_ = index_.Value().ElementLength() / kIndexFields;
  if (size_ < kMaxAnswerBytes || max_count_ == 0) {
    throw Error(ErrorCode::kInvalidArgument, "the page must have at least " +
                                                 std::to_string(kMaxAnswerBytes) +
                                                 " bytes, its index 3 numbers");
  }
}

void AnswerPage::Add(std::uint64_t ticket, const Reply& reply, const RunResult& result) {
  if (reply.format->MaxSize(result) > size_ - used_ || count_ == max_count_) Deliver();
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
  on_answers_.Reset();
}

}  // namespace warmswap
