#include "core/model_probe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "onnx_builder.h"
#include "support.h"

namespace warmswap::test {
namespace {

Session Load(std::string_view fixture) { return {Library(), ModelPath(fixture), {}}; }

Session LoadUnary(const TempDir& dir, std::string_view op) {
  WriteFile(dir / "model.onnx", UnaryModel(op));
  return {Library(), dir / "model.onnx", {}};
}

std::size_t Answers(std::string_view fixture) {
  Session session = Load(fixture);
  return Probe(session).size();
}

template <typename T>
std::vector<T> Numbers(const ProbeOutput& output) {
  std::vector<T> numbers(output.data.size() / sizeof(T));
  std::memcpy(numbers.data(), output.data.data(), output.data.size());
  return numbers;
}

/// Sets the first number of the first output.
template <typename T>
void Set(ProbeAnswer& answer, T number) {
  std::memcpy(answer.outputs.at(0).data.data(), &number, sizeof(T));
}

}  // namespace

TEST_CASE("a session is asked with one row, with several, and with zeros") {
  Session session = Load("identity-fp32/1");
  const std::vector<ProbeAnswer> answers = Probe(session);
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].outputs.at(0).shape == std::vector<std::int64_t>{1});
  CHECK(answers[1].outputs.at(0).shape == std::vector<std::int64_t>{3});
  CHECK(Numbers<float>(answers[2].outputs.at(0)) == std::vector<float>{0});
}

TEST_CASE("floating-point inputs vary, within -1..1, in every datatype") {
  Session session = Load("identity-fp32/1");
  const std::vector<float> varied = Numbers<float>(Probe(session).at(1).outputs.at(0));
  REQUIRE(varied.size() == 3);
  CHECK(varied[0] != varied[1]);
  for (const float number : varied) CHECK(std::abs(number) <= 1);
  for (const auto* fixture : {"identity-fp16/1", "identity-bf16/1", "identity-fp64/1"}) {
    CAPTURE(fixture);
    Session other = Load(fixture);
    const ProbeOutput output = Probe(other).at(1).outputs.at(0);
    CHECK(std::ranges::count(output.data, std::byte{0}) < static_cast<int>(output.data.size()));
  }
}

TEST_CASE("models of every datatype are asked, and answer themselves the same again") {
  for (const auto* fixture :
       {"identity-bool/1", "identity-uint8/1", "identity-uint64/1", "identity-int8/1",
        "identity-int64/1", "identity-fp16/1", "identity-bf16/1", "identity-fp32/1",
        "identity-fp64/1", "identity-bytes/1", "mixed/1", "scalar/1", "slow/1"}) {
    CAPTURE(fixture);
    Session session = Load(fixture);
    const std::vector<ProbeAnswer> answers = Probe(session);
    CHECK(answers.size() == 3);
    CHECK_FALSE(FindDifference(session, answers).has_value());
  }
}

TEST_CASE("a model that takes only some sizes is asked with those") {
  CHECK(Answers("fails-at-run/1") == 1);  // an even number
}

TEST_CASE("a model that answers differently each time has no answers") {
  const TempDir dir;
  Session session = LoadUnary(dir, "RandomNormalLike");
  CHECK(Probe(session).empty());
}

TEST_CASE("another answer is found, with the output's name") {
  Session first = Load("shift/1");
  Session second = Load("shift/2");
  const auto difference = FindDifference(second, Probe(first));
  REQUIRE(difference.has_value());
  CHECK(Contains(*difference, "'y'"));
}

TEST_CASE("another shape or datatype is another answer") {
  Session session = Load("identity-fp32/1");
  std::vector<ProbeAnswer> answers = Probe(session);
  answers.at(0).outputs.at(0).shape = {1, 1};
  CHECK(FindDifference(session, answers).has_value());
  answers = Probe(session);
  answers.at(0).outputs.at(0).type = DataType::kInt32;
  CHECK(FindDifference(session, answers).has_value());
}

TEST_CASE("NaN equals NaN and nothing else") {
  const TempDir dir;
  Session session = LoadUnary(dir, "Sqrt");
  std::vector<ProbeAnswer> answers = Probe(session);
  REQUIRE(std::isnan(Numbers<float>(answers.at(0).outputs.at(0)).at(0)));
  CHECK_FALSE(FindDifference(session, answers).has_value());
  Set(answers[0], 0.0F);
  CHECK(FindDifference(session, answers).has_value());
  answers = Probe(session);
  Set(answers.at(2), std::numeric_limits<float>::quiet_NaN());
  CHECK(FindDifference(session, answers).has_value());
}

TEST_CASE("fractions may differ by rounding, infinities and integers not at all") {
  Session floats = Load("identity-fp32/1");
  std::vector<ProbeAnswer> answers = Probe(floats);
  const float first = Numbers<float>(answers.at(0).outputs.at(0)).at(0);
  Set(answers[0], first * (1 + 1e-5F));
  CHECK_FALSE(FindDifference(floats, answers).has_value());
  Set(answers[0], first * (1 + 1e-3F));
  CHECK(FindDifference(floats, answers).has_value());
  Set(answers[0], std::numeric_limits<float>::infinity());
  CHECK(FindDifference(floats, answers).has_value());

  Session integers = Load("identity-int64/1");
  answers = Probe(integers);
  Set(answers.at(0), std::int64_t{1});
  CHECK(FindDifference(integers, answers).has_value());
}

}  // namespace warmswap::test
