#include "core/answer_format.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "core/run_result.h"
#include "core/session.h"
#include "support.h"

namespace warmswap::test {
namespace {

using Bytes = std::vector<std::byte>;

std::vector<const TensorSpec*> SpecsOf(const Session& session) {
  std::vector<const TensorSpec*> specs;
  for (const TensorSpec& spec : session.outputs()) specs.push_back(&spec);
  return specs;
}

/// Of `rows` rows of the model `shift`.
RunResult Run(std::int64_t rows) {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, {}, completions.Callback());
  runner.Submit(ShiftRows(1, rows, 7));
  REQUIRE(completions.WaitFor(1));
  return completions.TakeResult(1);
}

Bytes Written(const AnswerFormat& format, const RunResult& result) {
  Bytes bytes(format.MaxSize(result));
  const std::byte* end = format.Write(bytes.data(), 9, result);
  bytes.resize(static_cast<std::size_t>(end - bytes.data()));
  return bytes;
}

Bytes PutTogether(const AnswerFrame& frame, const RunResult& result) {
  Bytes bytes = frame.bytes;
  for (std::size_t i = frame.cuts.size(); i-- > 0;) {
    const std::span<const std::byte> data = result.Data(i);
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(frame.cuts[i]), data.begin(),
                 data.end());
  }
  return bytes;
}

}  // namespace

TEST_CASE("a frame and the data of its outputs are what is written in one piece") {
  Session session(Library(), ModelPath("shift/1"), {});
  const AnswerFormat format("shift", 1, SpecsOf(session));
  for (const std::int64_t rows : {1, 15, 16, 4'096, 100'000}) {
    const RunResult result = Run(rows);
    const AnswerFrame frame = format.Frame(9, result);
    REQUIRE(frame.cuts.size() == 1);
    CHECK(frame.bytes.size() < 256);
    CHECK(PutTogether(frame, result) == Written(format, result));
  }
}

TEST_CASE("a frame has the rows of its own request, and as many cuts as outputs") {
  Session session(Library(), ModelPath("shift/1"), {});
  const std::vector<const TensorSpec*> one = SpecsOf(session);
  const AnswerFormat none("shift", 1, {});
  RunResult result = Run(4);
  result.rows = RowRange{1, 2};
  const AnswerFormat format("shift", 1, one);
  CHECK(PutTogether(format.Frame(9, result), result) == Written(format, result));
  CHECK(none.Frame(9, result).cuts.empty());
  CHECK(none.Frame(9, result).bytes == Written(none, result));
}

}  // namespace warmswap::test
