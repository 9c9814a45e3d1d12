#include "gpu/shared_weights.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/artifact_packer.h"
#include "core/error.h"
#include "core/file_io.h"
#include "core/model.h"
#include "cuda_standin.h"
#include "gpu/cuda_device.h"
#include "gpu/ipc_memory.h"
#include "gpu/weights_slab.h"
#include "onnx_builder.h"
#include "standin_device.h"
#include "support.h"
#include "weight_files.h"

namespace warmswap::test {
namespace {

/// The fixture's artifact for a GPU, whose weights lie beside it.
std::filesystem::path Pack(const TempDir& dir, std::string_view fixture) {
  PackArtifact(Library(), ModelPath(fixture), dir / "artifact", {.target = PackTarget::kDevice});
  return (dir / "artifact") / kArtifactModel;
}

/// Both sides of the sharing, here in one process.
struct Sharing {
  const CudaStandin& standin;
  const std::filesystem::path model;
  const std::shared_ptr<StandinDevice> device = std::make_shared<StandinDevice>(standin);
  const WeightPlan plan{model};
  std::optional<WeightsSlab> slab = std::make_optional<WeightsSlab>(device->context(), plan);

  SlabReference reference() const { return {slab->handle(), slab->size()}; }

  ModelOptions Options() const {
    ModelOptions options;
    options.model_path = model;
    options.session.device = device;
    options.session.weights =
        OpenSharedWeights(device->context(), reference(), plan, device->device_info());
    return options;
  }
};

const Runner::OnComplete kIgnored = [](const std::vector<Completion>&) {};

Error RefusalOf(const ModelOptions& options) {
  return ErrorOf([&] { const Model model(Library(), options, kIgnored); });
}

std::vector<float> AnswerOf(const ModelOptions& options) {
  Completions completions;
  Model model(Library(), options, completions.Callback());
  const std::vector<float> row(64, 0.5F);
  Request request;
  request.ticket = 1;
  request.inputs.push_back(CopyInput({DataType::kFp32, {1, 64}, AsBytes(row), {}}, model.blocks()));
  request.outputs = {0};
  model.Submit(std::move(request));
  REQUIRE(completions.WaitFor(1));
  return Elements<float>(completions.TakeResult(1));
}

/// Turns the bits of one byte of what other processes have opened, too.
void Damage(const Sharing& sharing, std::size_t offset) {
  const IpcMemory memory(sharing.device->context(), sharing.slab->handle());
  auto* const byte = static_cast<std::byte*>(memory.data()) + offset;
  *byte = ~*byte;
}

}  // namespace

TEST_CASE("weights are placed one behind another, each aligned, and those of one name not at all") {
  const TempDir dir;
  WriteFile(dir / "model.onnx",
            ModelWithInitializers({ExternalFloats("a", {3}, "weights.bin", 0),
                                   ExternalFloats("b", {2, 2}, "weights.bin", 12),
                                   ExternalFloats("twice", {1}, "weights.bin", 0),
                                   ExternalFloats("twice", {1}, "weights.bin", 4),
                                   ExternalFloats("", {1}, "weights.bin", 4),
                                   ExternalFloats("none", {0}, "weights.bin", 0)}));
  WriteFile(dir / "weights.bin", std::string(28, 'x'));
  const WeightPlan plan(dir / "model.onnx");
  REQUIRE(plan.weights().size() == 2);
  CHECK(plan.weights()[0].offset == 0);
  CHECK(plan.weights()[1].name == "b");
  CHECK(plan.weights()[1].dims == std::vector<std::int64_t>{2, 2});
  CHECK(plan.weights()[1].offset == WeightPlan::kAlignment);
  CHECK(plan.size() == WeightPlan::kAlignment + 16);
}

TEST_CASE("a weight that its file does not hold cannot be planned") {
  const TempDir dir;
  WriteFile(dir / "model.onnx",
            ModelWithInitializers({ExternalFloats("a", {8}, "weights.bin", 4)}));
  WriteFile(dir / "weights.bin", std::string(32, 'x'));
  const Error error = ErrorOf([&] { const WeightPlan plan(dir / "model.onnx"); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
}

TEST_CASE("a slab holds every byte of weights that are longer than one copy") {
  const CudaStandin standin;
  const Written written({1, 9 << 20U, 100, 5 << 20U});
  const auto context = std::make_shared<const PrimaryContext>(standin.Open(), 0);
  const WeightPlan plan(written.model);
  const WeightsSlab slab(context, plan);
  CHECK(slab.size() == plan.size());
  CHECK(standin.counts().host_bytes == 0);
  const IpcMemory memory(context, slab.handle());
  for (const PlacedWeight& weight : plan.weights()) {
    const auto* const there = static_cast<const std::byte*>(memory.data()) + weight.offset;
    CHECK(std::memcmp(there, weight.source.data(), weight.source.size()) == 0);
  }
}

TEST_CASE("a model without weights beside it has none to share") {
  const CudaStandin standin;
  const auto context = std::make_shared<const PrimaryContext>(standin.Open(), 0);
  const WeightPlan plan(ModelPath("shift/1"));
  const Error error = ErrorOf([&] { const WeightsSlab slab(context, plan); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
}

TEST_CASE("weights that the GPU has no memory for are RESOURCE_EXHAUSTED") {
  const CudaStandin standin;
  const Written written({1 << 20U});
  const auto context = std::make_shared<const PrimaryContext>(standin.Open(), 0);
  const WeightPlan plan(written.model);
  StandinSettings full;
  full.taken_by_others = full.total_bytes - kMegabyte;
  standin.Set(full);
  const Error error = ErrorOf([&] { const WeightsSlab slab(context, plan); });
  CHECK(CodeName(error) == "RESOURCE_EXHAUSTED");
}

TEST_CASE("whichever call of the driver fails while weights are shared, nothing is left taken") {
  const CudaStandin standin;
  const Ort::MemoryInfo info = CpuInfo();
  const auto context = std::make_shared<const PrimaryContext>(standin.Open(), 0);
  const Written short_one({1000});  // one thread is enough for it, so calls have an order
  const WeightPlan one_piece(short_one.model);
  CheckEachFailure(standin, 2 * kReturns, [&] { return WeightsSlab(context, one_piece).size(); });
  const Written written({5 << 20U, 10});
  const WeightPlan plan(written.model);
  const WeightsSlab slab(context, plan);
  CheckEachFailure(standin, kReturns, [&] {
    return OpenSharedWeights(context, {slab.handle(), slab.size()}, plan, info)->bytes();
  });
}

TEST_CASE("a session answers from shared weights as from its own, and takes no second copy") {
  const CudaStandin standin;
  const TempDir dir;
  Sharing sharing{standin, Pack(dir, "linear/1")};
  ModelOptions alone;
  alone.model_path = sharing.model;
  alone.session.device = sharing.device;
  const std::vector<float> expected = AnswerOf(alone);
  const std::uint64_t reserved_alone = sharing.device->most_reserved();
  for (const bool graphs : {false, true}) {
    CAPTURE(graphs);
    ModelOptions options = sharing.Options();
    options.session.cuda.graphs = graphs;
    CHECK(AnswerOf(options) == expected);
  }
  CHECK(reserved_alone >= sharing.plan.size());
  CHECK(standin.counts().opened_handles == 0);
}

TEST_CASE("only what is not shared is asked of the device") {
  const CudaStandin standin;
  const TempDir dir;
  Sharing sharing{standin, Pack(dir, "linear/1")};
  const Model model(Library(), sharing.Options(), kIgnored);
  CHECK(sharing.device->most_reserved() < sharing.plan.size());
}

TEST_CASE("weights stay open as long as a model uses them") {
  const CudaStandin standin;
  const TempDir dir;
  Sharing sharing{standin, Pack(dir, "linear/1")};
  {
    const Model model(Library(), sharing.Options(), kIgnored);
    CHECK(standin.counts().opened_handles == 1);
  }
  CHECK(standin.counts().opened_handles == 0);
}

TEST_CASE("a session that looks as if it had copied the weights is refused") {
  const CudaStandin standin;
  const TempDir dir;
  Sharing sharing{standin, Pack(dir, "linear/1")};
  sharing.device->bytes_a_session = kGigabyte;
  const Error error = RefusalOf(sharing.Options());
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), "as if it had copied them"));
  CHECK(standin.counts().opened_handles == 0);
}

TEST_CASE("a session that does not answer as the processor does is refused") {
  const CudaStandin standin;
  const TempDir dir;
  Sharing sharing{standin, Pack(dir, "linear/1")};
  const ModelOptions options = sharing.Options();
  for (const PlacedWeight& weight : sharing.plan.weights()) Damage(sharing, weight.offset + 3);
  const Error error = RefusalOf(options);
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), "does not answer as on the processor"));
}

TEST_CASE("weights that cannot be compared with the processor's answers are refused") {
  const CudaStandin standin;
  const TempDir dir;
  Sharing sharing{standin, Pack(dir, "linear/1")};
  ModelOptions options = sharing.Options();
  options.model_path = dir / "random.onnx";
  WriteFile(options.model_path, UnaryModel("RandomNormalLike"));
  const Error error = RefusalOf(options);
  CHECK(Contains(error.what(), "cannot be compared"));
}

TEST_CASE("a slab that holds other weights than the model's is not used") {
  const CudaStandin standin;
  const TempDir dir;
  Sharing sharing{standin, Pack(dir, "linear/1")};
  Damage(sharing, sharing.plan.size() - 1);
  CHECK(Contains(ErrorOf([&] { sharing.Options(); }).what(), "are not the model's, from byte 0"));
  const auto open = [&](std::uint64_t size) {
    OpenSharedWeights(sharing.device->context(), {sharing.slab->handle(), size}, sharing.plan,
                      sharing.device->device_info());
  };
  for (const std::uint64_t size : {sharing.plan.size() - 1, std::uint64_t{0}}) {
    CHECK(CodeName(ErrorOf([&] { open(size); })) == "FAILED_PRECONDITION");
  }
  CHECK(standin.counts().opened_handles == 0);
}

TEST_CASE("a handle of memory that is gone does not open") {
  const CudaStandin standin;
  const TempDir dir;
  Sharing sharing{standin, Pack(dir, "linear/1")};
  const SlabReference gone = sharing.reference();
  sharing.slab.reset();
  CHECK(standin.counts().device_bytes == 0);
  const Error error = ErrorOf([&] {
    OpenSharedWeights(sharing.device->context(), gone, sharing.plan, sharing.device->device_info());
  });
  CHECK(Contains(error.what(), "cuIpcOpenMemHandle failed"));
}

}  // namespace warmswap::test
