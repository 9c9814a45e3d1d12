#include "gpu/weight_copy.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/artifact_packer.h"
#include "core/error.h"
#include "core/model.h"
#include "cuda_standin.h"
#include "gpu/device_buffer.h"
#include "standin_device.h"
#include "support.h"
#include "weight_files.h"

namespace warmswap::test {
namespace {

/// More pieces than threads, of many lengths.
const std::vector<std::size_t> kManyPieces{1, 9U << 20U, 100, 3U << 20U, 1U << 20U, 7};

struct Destination {
  std::shared_ptr<const PrimaryContext> context;
  WeightPlan plan;
  DeviceBuffer memory{context, plan.size()};

  Destination(const CudaStandin& standin, const std::filesystem::path& model)
      : context(std::make_shared<const PrimaryContext>(standin.Open(), 0)), plan(model) {}

  std::byte* block() const { return static_cast<std::byte*>(memory.data()); }
  void Copy(std::size_t readers = kWeightReaders, const LoadCancellation& cancellation = {}) const {
    CopyWeights(context, plan, block(), cancellation, readers);
  }
};

struct Direct {
  const CudaStandin standin;
  const TempDir dir;
  const std::shared_ptr<StandinDevice> device = std::make_shared<StandinDevice>(standin);

  ModelOptions Options(const std::filesystem::path& model) const {
    ModelOptions options;
    options.model_path = model;
    options.session.device = device;
    options.session.cuda.loader = WeightLoader::kDirect;
    return options;
  }
  std::filesystem::path Pack(std::string_view fixture) const {
    PackArtifact(Library(), ModelPath(fixture), dir / "artifact", {.target = PackTarget::kDevice});
    return (dir / "artifact") / kArtifactModel;
  }
};

const Runner::OnComplete kUnheard = [](const std::vector<Completion>&) {};

Error LoadErrorOf(const ModelOptions& options) {
  return ErrorOf([&] { const Model model(Library(), options, kUnheard); });
}

std::vector<float> AnswerOf(const ModelOptions& options, std::int64_t width) {
  Completions completions;
  Model model(Library(), options, completions.Callback());
  const std::vector<float> row(static_cast<std::size_t>(width), 0.5F);
  Request request;
  request.ticket = 1;
  request.inputs.push_back(
      CopyInput({DataType::kFp32, {1, width}, AsBytes(row), {}}, model.blocks()));
  request.outputs = {0};
  model.Submit(std::move(request));
  REQUIRE(completions.WaitFor(1));
  return Elements<float>(completions.TakeResult(1));
}

}  // namespace

TEST_CASE("every byte of the weights is where the plan says, however many threads read them") {
  const CudaStandin standin;
  const Written written(kManyPieces);
  const Destination to(standin, written.model);
  for (const std::size_t readers : {std::size_t{1}, std::size_t{2}, kWeightReaders}) {
    CAPTURE(readers);
    std::memset(to.block(), 0xA5, to.plan.size());
    to.Copy(readers);
    for (const PlacedWeight& weight : to.plan.weights()) {
      CHECK(std::memcmp(to.block() + weight.offset, weight.source.data(), weight.source.size()) ==
            0);
    }
    CHECK(standin.counts().host_bytes == 0);
    CHECK(standin.counts().streams == 0);
  }
}

TEST_CASE("whichever call of the driver fails while weights are copied, nothing is left taken") {
  const CudaStandin standin;
  const Ort::MemoryInfo info = CpuInfo();
  const auto context = std::make_shared<const PrimaryContext>(standin.Open(), 0);
  const Written short_one({1000});  // one thread is enough for it, so calls have an order
  const WeightPlan plan(short_one.model);
  CheckEachFailure(standin, 2 * kReturns,
                   [&] { return CopyToOwnMemory(context, plan, info, {})->bytes(); });
}

TEST_CASE("a failure of one reader ends the others, and nothing is left taken") {
  const CudaStandin standin;
  const Written written(kManyPieces);
  const Destination to(standin, written.model);
  const StandinCounts before = standin.counts();
  constexpr long kCallsBeforeReturns = 40;
  for (long failing = 1; failing <= kCallsBeforeReturns; ++failing) {
    CAPTURE(failing);
    standin.Set({.failing_call = failing, .failure = kLaunchFailed});
    CHECK(Contains(ErrorOf([&] { to.Copy(); }).what(), "CUDA_ERROR_LAUNCH_FAILED"));
    CheckNothingTaken(standin, before);
  }
}

TEST_CASE("a file that has become shorter is refused") {
  const CudaStandin standin;
  const Written written(kManyPieces);
  const Destination to(standin, written.model);
  std::filesystem::resize_file(written.dir / "weights.bin", written.data.size() - 1);
  CHECK(CodeName(ErrorOf([&] { to.Copy(); })) == "FAILED_PRECONDITION");
  CHECK(standin.counts().host_bytes == 0);
}

TEST_CASE("a load that was cancelled copies no weights any more") {
  const CudaStandin standin;
  const Written written(kManyPieces);
  const Destination to(standin, written.model);
  LoadCancellation cancellation;
  cancellation.Cancel();
  CHECK(CodeName(ErrorOf([&] { to.Copy(kWeightReaders, cancellation); })) == "CANCELLED");
  CHECK(standin.counts().host_bytes == 0);
}

TEST_CASE("weights that there is no memory for are RESOURCE_EXHAUSTED, and no session is made") {
  const Direct direct;
  ModelOptions options = direct.Options(direct.Pack("linear/1"));
  options.device_reserve_bytes = 1;  // so that the copy is what finds none
  StandinSettings full;
  full.taken_by_others = full.total_bytes - 1;
  direct.standin.Set(full);
  CHECK(CodeName(LoadErrorOf(options)) == "RESOURCE_EXHAUSTED");
  CHECK(direct.device->sessions() == 0);
}

TEST_CASE("a model that is loaded directly answers as one that ONNX Runtime has loaded") {
  const Direct direct;
  ModelOptions options = direct.Options(direct.Pack("linear/1"));
  options.session.cuda.loader = WeightLoader::kOnnxRuntime;
  const std::vector<float> expected = AnswerOf(options, 64);
  CHECK(direct.device->weight_copies() == 0);
  options.session.cuda.loader = WeightLoader::kDirect;
  for (const bool graphs : {false, true}) {
    CAPTURE(graphs);
    options.session.cuda.graphs = graphs;
    CHECK(AnswerOf(options, 64) == expected);
  }
  CHECK(direct.device->weight_copies() == 2);
}

TEST_CASE("weights that were loaded directly are counted as the model's, and freed with it") {
  const Direct direct;
  const std::filesystem::path path = direct.Pack("linear/1");
  const std::uint64_t weights = WeightPlan(path).size();
  const std::size_t before = direct.standin.counts().device_bytes;
  {
    const Model model(Library(), direct.Options(path), kUnheard);
    CHECK(model.Memory().device_bytes >= weights);
    CHECK(direct.standin.counts().device_bytes >= before + weights);
    CHECK(direct.device->most_reserved() >= weights);
  }
  CHECK(direct.standin.counts().device_bytes == before);
}

TEST_CASE("a direct load is cancelled between mapping and its session") {
  const Direct direct;
  ModelOptions options = direct.Options(direct.Pack("linear/1"));
  options.on_mapped = [&] { options.session.cancellation->Cancel(); };
  CHECK(CodeName(LoadErrorOf(options)) == "CANCELLED");
  CHECK(direct.device->sessions() == 0);
}

TEST_CASE("a model without weights beside it is loaded by ONNX Runtime") {
  const Direct direct;
  CHECK(AnswerOf(direct.Options(ModelPath("shift/1")), 4) == std::vector<float>(4, 1.5F));
  CHECK(direct.device->weight_copies() == 0);
}

}  // namespace warmswap::test
