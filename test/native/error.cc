#include "core/error.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/ort.h"
#include "support.h"

namespace warmswap::test {
namespace {

template <typename Thrown>
Error Translated(const Thrown& thrown) {
  try {
    throw thrown;
  } catch (...) {
    return CurrentExceptionAsError();
  }
}

}  // namespace

TEST_CASE("every error code has its name of the contract") {
  const std::vector<std::pair<ErrorCode, std::string>> names{
      {ErrorCode::kInvalidArgument, "INVALID_ARGUMENT"},
      {ErrorCode::kNotFound, "NOT_FOUND"},
      {ErrorCode::kFailedPrecondition, "FAILED_PRECONDITION"},
      {ErrorCode::kResourceExhausted, "RESOURCE_EXHAUSTED"},
      {ErrorCode::kDeadlineExceeded, "DEADLINE_EXCEEDED"},
      {ErrorCode::kCancelled, "CANCELLED"},
      {ErrorCode::kUnavailable, "UNAVAILABLE"},
      {ErrorCode::kUnimplemented, "UNIMPLEMENTED"},
      {ErrorCode::kInternal, "INTERNAL"},
  };
  for (const auto& [code, name] : names) {
    CHECK(ToString(code) == name);
    CHECK(IsRetryable(code) == (name == "RESOURCE_EXHAUSTED" || name == "UNAVAILABLE"));
  }
}

TEST_CASE("an Error keeps its code and message when it is translated") {
  const Error error = Translated(Error(ErrorCode::kDeadlineExceeded, "too late"));
  CHECK(CodeName(error) == "DEADLINE_EXCEEDED");
  CHECK(Message(error) == "too late");
}

TEST_CASE("ONNX Runtime's errors get the contract's codes and keep their messages") {
  const std::vector<std::pair<OrtErrorCode, std::string>> codes{
      {ORT_INVALID_ARGUMENT, "INVALID_ARGUMENT"},
      {ORT_NO_SUCHFILE, "NOT_FOUND"},
      {ORT_NO_MODEL, "FAILED_PRECONDITION"},
      {ORT_INVALID_PROTOBUF, "FAILED_PRECONDITION"},
      {ORT_INVALID_GRAPH, "FAILED_PRECONDITION"},
      {ORT_NOT_IMPLEMENTED, "UNIMPLEMENTED"},
      {ORT_FAIL, "INTERNAL"},
      {ORT_EP_FAIL, "INTERNAL"},
      {ORT_ENGINE_ERROR, "INTERNAL"},
      {ORT_RUNTIME_EXCEPTION, "INTERNAL"},
  };
  for (const auto& [code, name] : codes) {
    const Error error = Translated(Ort::Exception("what happened", code));
    CHECK(CodeName(error) == name);
    CHECK(Message(error) == "what happened");
  }
}

TEST_CASE("other exceptions get the code of their kind") {
  CHECK(CodeName(Translated(std::bad_alloc())) == "RESOURCE_EXHAUSTED");
  CHECK(CodeName(Translated(std::runtime_error("x"))) == "INTERNAL");
  CHECK(CodeName(Translated(42)) == "INTERNAL");

  const auto denied = std::make_error_code(std::errc::permission_denied);
  const Error error = Translated(std::filesystem::filesystem_error("list", "/models", denied));
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), "/models"));
}

}  // namespace warmswap::test
