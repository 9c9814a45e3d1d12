#include "core/model_probe.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace warmswap {
namespace {

// The smallest input, one that takes other kernels (several rows), and the one that any model
// takes.
constexpr std::array<ProbeInputs, 3> kProbes{{{1, true}, {3, true}, {1, false}}};
// For models that need more, such as a window of audio; one that is accepted is enough.
constexpr std::array<ProbeInputs, 3> kLargerProbes{{{32, true}, {256, true}, {512, true}}};
constexpr std::size_t kMaxInputBytes = std::size_t{256} << 20U;

/// Values of -1..1 that do not repeat soon, in steps that even BF16 can tell apart.
double VariedValue(std::size_t index) {
  constexpr std::size_t kSteps = 61;
  return static_cast<double>(index * 37 % kSteps) / ((kSteps - 1) / 2.0) - 1.0;
}

std::uint16_t ToBf16(float value) noexcept {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<std::uint16_t>(bits >> 16U);
}

template <typename T, typename Convert>
void Fill(std::vector<std::byte>& data, Convert convert) {
  for (std::size_t i = 0; i < data.size() / sizeof(T); ++i) {
    const T element = convert(VariedValue(i));
    std::memcpy(data.data() + i * sizeof(T), &element, sizeof(T));
  }
}

void FillVaried(DataType type, std::vector<std::byte>& data) {
  switch (type) {
    case DataType::kFp64:
      return Fill<double>(data, [](double value) { return value; });
    case DataType::kFp32:
      return Fill<float>(data, [](double value) { return static_cast<float>(value); });
    case DataType::kFp16:
      return Fill<std::uint16_t>(
          data, [](double value) { return Ort::Float16_t(static_cast<float>(value)).val; });
    case DataType::kBf16:
      return Fill<std::uint16_t>(data,
                                 [](double value) { return ToBf16(static_cast<float>(value)); });
    default:
      return;
  }
}

std::vector<std::int64_t> ShapeOf(const TensorSpec& spec, const ProbeInputs& probe) {
  std::vector<std::int64_t> shape = spec.shape;
  std::ranges::replace_if(
      shape, [](std::int64_t dimension) { return dimension < 0; }, probe.free_dimension);
  return shape;
}

std::size_t CountElements(const TensorSpec& spec, const std::vector<std::int64_t>& shape) {
  const std::optional<std::size_t> count = ElementCount(shape);
  const std::size_t size = std::max<std::size_t>(1, ElementSize(spec.type));
  if (count && *count <= kMaxInputBytes / size) return *count;
  throw Error(ErrorCode::kResourceExhausted, "input '" + spec.name + "' is too large to probe");
}

Ort::Value MakeInput(const TensorSpec& spec, const ProbeInputs& probe) {
  TensorView view{spec.type, ShapeOf(spec, probe), {}, {}};
  const std::size_t count = CountElements(spec, view.shape);
  if (spec.type == DataType::kBytes) {
    view.strings.resize(count);
    return ToOrtValue(view);
  }
  std::vector<std::byte> data(count * ElementSize(spec.type));
  if (probe.varied) FillVaried(spec.type, data);
  view.data = data;
  return ToOrtValue(view);
}

ProbeOutput Copy(const Ort::Value& value) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  ProbeOutput output;
  output.type = FromOrt(info.GetElementType()).value();
  output.shape = info.GetShape();
  if (output.type == DataType::kBytes) {
    output.strings = StringElements(value);
    return output;
  }
  output.data.resize(info.GetElementCount() * ElementSize(output.type));
  if (!output.data.empty()) {
    std::memcpy(output.data.data(), value.GetTensorRawData(), output.data.size());
  }
  return output;
}

std::vector<ProbeOutput> Answer(Session& session, const ProbeInputs& probe) {
  std::vector<Ort::Value> inputs;
  inputs.reserve(session.inputs().size());
  for (const TensorSpec& spec : session.inputs()) inputs.push_back(MakeInput(spec, probe));
  std::vector<std::size_t> indices(session.outputs().size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  Ort::RunOptions options;
  std::vector<ProbeOutput> outputs;
  outputs.reserve(indices.size());
  for (const Ort::Value& value : session.Run(options, inputs, indices)) {
    outputs.push_back(Copy(value));
  }
  return outputs;
}

template <typename T>
T Element(const ProbeOutput& output, std::size_t index) {
  T element;
  std::memcpy(&element, output.data.data() + index * sizeof(T), sizeof(T));
  return element;
}

double FloatAt(const ProbeOutput& output, std::size_t index) {
  switch (output.type) {
    case DataType::kFp64:
      return Element<double>(output, index);
    case DataType::kFp32:
      return Element<float>(output, index);
    case DataType::kFp16:
      return Ort::Float16_t::FromBits(Element<std::uint16_t>(output, index)).ToFloat();
    default:
      return Ort::BFloat16_t::FromBits(Element<std::uint16_t>(output, index)).ToFloat();
  }
}

/// The part of the largest number by which others may differ; nothing for exact datatypes.
std::optional<double> Tolerance(DataType type) noexcept {
  switch (type) {
    case DataType::kFp64:
      return 1e-9;
    case DataType::kFp32:
      return 1e-4;
    case DataType::kFp16:
      return 5e-3;
    case DataType::kBf16:
      return 2e-2;
    default:
      return std::nullopt;
  }
}

double LargestFinite(const ProbeOutput& output, std::size_t count) {
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double magnitude = std::abs(FloatAt(output, i));
    if (std::isfinite(magnitude)) largest = std::max(largest, magnitude);
  }
  return largest;
}

bool IsClose(double expected, double got, double bound) {
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  return expected == got || std::abs(expected - got) <= bound;
}

bool AreClose(const ProbeOutput& expected, const ProbeOutput& got, double tolerance) {
  const std::size_t count = expected.data.size() / ElementSize(expected.type);
  const double bound = tolerance * LargestFinite(expected, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!IsClose(FloatAt(expected, i), FloatAt(got, i), bound)) return false;
  }
  return true;
}

bool AreEqual(const ProbeOutput& expected, const ProbeOutput& got, double least_tolerance) {
  if (expected.type != got.type || expected.shape != got.shape) return false;
  if (expected.strings != got.strings) return false;
  const std::optional<double> tolerance = Tolerance(expected.type);
  if (!tolerance) return expected.data == got.data;
  return AreClose(expected, got, std::max(*tolerance, least_tolerance));
}

/// The index of the first output that differs.
std::optional<std::size_t> FirstDifference(const std::vector<ProbeOutput>& expected,
                                           const std::vector<ProbeOutput>& got,
                                           double least_tolerance = 0) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (i >= got.size() || !AreEqual(expected[i], got[i], least_tolerance)) return i;
  }
  return std::nullopt;
}

std::optional<ProbeAnswer> TryProbe(Session& session, const ProbeInputs& probe) {
  try {
    ProbeAnswer answer{probe, Answer(session, probe)};
    if (FirstDifference(answer.outputs, Answer(session, probe))) return std::nullopt;
    return answer;
  } catch (...) {
    // A model need not take what was made up for it.
    return std::nullopt;
  }
}

}  // namespace

std::vector<ProbeAnswer> Probe(Session& session) {
  std::vector<ProbeAnswer> answers;
  for (const ProbeInputs& probe : kProbes) {
    if (auto answer = TryProbe(session, probe)) answers.push_back(std::move(*answer));
  }
  for (const ProbeInputs& probe : kLargerProbes) {
    if (!answers.empty()) break;
    if (auto answer = TryProbe(session, probe)) answers.push_back(std::move(*answer));
  }
  return answers;
}

double FastestRun(Session& session, const ProbeInputs& inputs) {
  constexpr int kRuns = 5;
  double fastest = std::numeric_limits<double>::infinity();
  for (int run = 0; run < kRuns; ++run) {
    const auto started = std::chrono::steady_clock::now();
    Answer(session, inputs);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    fastest = std::min(fastest, took.count());
  }
  return fastest;
}

std::optional<std::string> FindDifference(Session& session,
                                          const std::vector<ProbeAnswer>& expected,
                                          double least_tolerance) {
  for (const ProbeAnswer& answer : expected) {
    const auto index =
        FirstDifference(answer.outputs, Answer(session, answer.inputs), least_tolerance);
    if (index) return "output '" + session.outputs().at(*index).name + "' differs";
  }
  return std::nullopt;
}

}  // namespace warmswap
