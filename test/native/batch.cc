#include "core/batch.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/error.h"
#include "support.h"

namespace warmswap::test {
namespace {

TensorSpec Spec(DataType type, std::vector<std::int64_t> shape) {
  return {"x", type, std::move(shape), {}};
}

Request Marked(Request request) {
  MarkForBatching(request);
  return request;
}

Request TwoInputs(std::vector<std::int64_t> first, std::vector<std::int64_t> second) {
  Request request;
  for (const auto& shape : {first, second}) {
    const std::vector<float> zeros(ElementCount(shape).value());
    request.inputs.push_back(MakeInput(DataType::kFp32, zeros, shape));
  }
  return request;
}

RunOutputs Outputs(Ort::Value value) {
  std::vector<Ort::Value> values;
  values.push_back(std::move(value));
  return RunOutputs(std::move(values));
}

}  // namespace

TEST_CASE("only tensors with a free first dimension and fixed-size elements can be batched") {
  const std::vector<TensorSpec> good{Spec(DataType::kFp32, {-1, 4})};
  RequireBatchable(good, good);
  for (const TensorSpec& bad :
       {Spec(DataType::kFp32, {1, 4}), Spec(DataType::kFp32, {}), Spec(DataType::kBytes, {-1})}) {
    const std::vector<TensorSpec> specs{good.front(), bad};
    const Error as_input = ErrorOf([&] { RequireBatchable(specs, good); });
    CHECK(CodeName(as_input) == "FAILED_PRECONDITION");
    CHECK(Contains(as_input.what(), "batching: input 'x'"));
    CHECK(Contains(ErrorOf([&] { RequireBatchable(good, specs); }).what(), "output 'x'"));
  }
}

TEST_CASE("requests fit together if shapes but for the first dimension, and outputs, are equal") {
  const Request request = Marked(TwoInputs({2, 3, 4}, {2}));
  CHECK(request.rows == 2);
  CHECK(request.batch_key == Marked(TwoInputs({5, 3, 4}, {5})).batch_key);
  CHECK(request.batch_key != Marked(TwoInputs({2, 4, 3}, {2})).batch_key);
  CHECK(request.batch_key != Marked(TwoInputs({2, 12}, {2})).batch_key);
  CHECK(request.batch_key != Marked(TwoInputs({2, 3}, {2, 4})).batch_key);
  Request other = TwoInputs({2, 3, 4}, {2});
  other.outputs = {1};
  CHECK(request.batch_key != Marked(std::move(other)).batch_key);
}

TEST_CASE("a request without rows, or with inputs of different rows, runs alone") {
  CHECK(Marked(TwoInputs({0, 3}, {0})).batch_key.empty());
  CHECK(Marked(TwoInputs({2, 3}, {3})).batch_key.empty());
  CHECK(Marked(Request()).batch_key.empty());
}

TEST_CASE("inputs are joined in order, outputs are cut by each request's rows") {
  std::vector<Request> requests;
  requests.push_back(Marked(ShiftRows(1, 1, 1)));
  requests.push_back(Marked(ShiftRows(2, 3, 2)));
  requests.push_back(Marked(ShiftRows(3, 2, 3)));
  const std::vector<InputTensor> joined = JoinInputs(requests, TestBlocks());
  REQUIRE(joined.size() == 1);
  CHECK(joined[0].shape == std::vector<std::int64_t>{6, 4});
  const auto outputs = std::make_shared<const RunOutputs>(ToOrtValues(joined));
  const std::vector<RowRange> rows = AssignRows(*outputs, requests);
  REQUIRE(rows.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const RunResult result{outputs, rows[i], {}, {}, 3};
    CHECK(result.Shape(0) == requests[i].inputs[0].shape);
    CHECK(result.RowCount() == requests[i].rows);
    CHECK(result.ByteSize() == requests[i].inputs[0].data.size());
    CHECK(Elements<float>(result) ==
          std::vector<float>(4 * requests[i].rows, static_cast<float>(i + 1)));
  }
}

TEST_CASE("outputs that have not as many rows as the requests are refused") {
  std::vector<Request> requests;
  requests.push_back(Marked(ShiftRows(1, 2, 1)));
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{3}, {}}) {
    const std::vector<float> values(ElementCount(shape).value());
    const RunOutputs outputs = Outputs(MakeTensor(DataType::kFp32, values, shape));
    CHECK(CodeName(ErrorOf([&] { AssignRows(outputs, requests); })) == "INTERNAL");
  }
}

TEST_CASE("outputs without elements are cut too") {
  std::vector<Request> requests;
  requests.push_back(Marked(ShiftRows(1, 2, 1)));
  const auto outputs =
      std::make_shared<const RunOutputs>(Outputs(MakeTensor<float>(DataType::kFp32, {}, {2, 0})));
  const RunResult result{outputs, AssignRows(*outputs, requests).at(0), {}, {}, 1};
  CHECK(result.Shape(0) == std::vector<std::int64_t>{2, 0});
  CHECK(result.Data(0).empty());
}

}  // namespace warmswap::test
