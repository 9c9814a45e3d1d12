#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/artifact_packer.h"
#include "core/error.h"
#include "core/model.h"
#include "cuda_standin.h"
#include "standin_device.h"
#include "support.h"

namespace warmswap::test {
namespace {

ModelOptions OptionsFor(const std::shared_ptr<Device>& device, std::string_view fixture,
                        const RunnerOptions& runner = {}) {
  ModelOptions options;
  options.model_path = ModelPath(fixture);
  options.session.device = device;
  options.runner = runner;
  return options;
}

Request RowsIn(MemoryPool& pool, std::uint64_t ticket, std::int64_t rows, float x) {
  const std::vector<float> values(static_cast<std::size_t>(4 * rows), x);
  Request request;
  request.ticket = ticket;
  request.inputs.push_back(CopyInput({DataType::kFp32, {rows, 4}, AsBytes(values), {}}, pool));
  request.outputs = {0};
  return request;
}

Error RefusalOf(const ModelOptions& options) {
  return ErrorOf(
      [&] { const Model model(Library(), options, [](const std::vector<Completion>&) {}); });
}

}  // namespace

TEST_CASE("a model on a device answers from pinned memory, batched as anywhere else") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  for (const bool graphs : {false, true}) {
    CAPTURE(graphs);
    Completions completions;
    ModelOptions options =
        OptionsFor(device, "shift/1", {.max_batch = 4, .max_delay = std::chrono::minutes(1)});
    options.session.cuda.graphs = graphs;
    Model model(Library(), options, completions.Callback());
    for (std::uint64_t ticket = 1; ticket <= 12; ++ticket) {
      model.Submit(RowsIn(model.blocks(), ticket, 1, static_cast<float>(ticket)));
    }
    REQUIRE(completions.WaitFor(12));
    for (std::uint64_t ticket = 1; ticket <= 12; ++ticket) {
      const RunResult result = completions.TakeResult(ticket);
      CHECK(result.batch_size == 4);
      CHECK(Elements<float>(result) == std::vector<float>(4, static_cast<float>(ticket + 1)));
    }
    CHECK(model.Memory().device_bytes.has_value());
  }
  CHECK(device->pinned().pinned_bytes() > 0);
  CHECK(device->pinned().misses() == 0);
}

TEST_CASE("on a device a batch is formed and run while the one before it runs") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  Completions completions;
  Model model(Library(),
              OptionsFor(device, "slow-rows/1",
                         {.threads = 2, .max_batch = 2, .max_delay = std::chrono::minutes(1)}),
              completions.Callback());
  model.Submit(IntegerRow(1, kEndless));
  model.Submit(IntegerRow(2, kEndless));
  WaitUntilARunIsUnderWay();
  model.Submit(IntegerRow(3, 1));
  model.Submit(IntegerRow(4, 2));
  REQUIRE(completions.WaitFor(2));
  CHECK(completions.Times(1) + completions.Times(2) == 0);
  CHECK(completions.TakeResult(3).batch_size == 2);
  CHECK(completions.TakeResult(4).batch_size == 2);
  model.Cancel(1);
  model.Cancel(2);
  CHECK(device->pinned().pinned_bytes() > 0);
  CHECK(device->pinned().misses() == 0);
  CHECK(device->streams() == 0);
}

TEST_CASE("requests on a device never run on the thread that brings them") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  Model model(Library(), OptionsFor(device, "shift/1"), [](const std::vector<Completion>&) {});
  CHECK_FALSE(model.PrefersInline(ByteSizeOf(ShiftRequest(1).inputs)));
}

TEST_CASE("memory of the device is set aside while the session is made, as much as the weights") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  {
    const Model model(Library(), OptionsFor(device, "linear/1"),
                      [](const std::vector<Completion>&) {});
    CHECK(device->most_reserved() == (64 * 8 + 8) * sizeof(float));
  }
  ModelOptions options = OptionsFor(device, "linear/1");
  options.device_reserve_bytes = kGigabyte;
  const Model model(Library(), options, [](const std::vector<Completion>&) {});
  CHECK(device->most_reserved() == kGigabyte);
}

TEST_CASE("a model for which the device has too little memory is refused with the numbers") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  ModelOptions options = OptionsFor(device, "linear/1");
  options.device_reserve_bytes = 9 * kGigabyte;
  const Error error = RefusalOf(options);
  CHECK(CodeName(error) == "RESOURCE_EXHAUSTED");
  REQUIRE(error.shortage());
  CHECK(error.shortage()->needed_bytes == 9 * kGigabyte);
  CHECK(error.shortage()->available_bytes == 7 * kGigabyte);
  CHECK(error.shortage()->device == "cuda:0");
  CHECK(device->sessions() == 0);
}

TEST_CASE("options that are of the processor are INVALID_ARGUMENT for a model on a device") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  std::vector<ModelOptions> refused(5, OptionsFor(device, "shift/1"));
  refused[0].session.optimised = true;
  refused[1].session.prepacking = false;
  refused[2].execution = Execution::kInline;
  refused[3].session.cuda.graphs = true;
  refused[3].runner.threads = 2;
  refused[4].session.cuda.device_id = -1;
  for (const ModelOptions& options : refused) {
    CHECK(CodeName(RefusalOf(options)) == "INVALID_ARGUMENT");
  }
  CHECK(device->sessions() == 0);
}

TEST_CASE("a model that does not load leaves nothing of the device taken") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  const StandinCounts before = standin.counts();
  for (const auto* fixture : {"garbage/1", "sequence-output/1"}) {
    ModelOptions options = OptionsFor(device, fixture);
    options.session.cuda.graphs = true;
    RefusalOf(options);
  }
  CHECK(standin.counts().streams == before.streams);
  CHECK(standin.counts().device_bytes == 0);
  const auto all_of_it = device->Reserve(7 * kGigabyte);
}

TEST_CASE("models come and go on a device while another answers, and take nothing with them") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  Completions completions;
  Model serving(Library(), OptionsFor(device, "shift/1"), completions.Callback());
  constexpr std::uint64_t kRounds = 10;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    ModelOptions options = OptionsFor(device, "shift/2");
    options.session.cuda.graphs = true;
    Completions others;
    Model other(Library(), options, others.Callback());
    for (std::uint64_t ticket = 1; ticket <= 3; ++ticket) {
      other.Submit(RowsIn(other.blocks(), ticket, 1, 1));
      serving.Submit(RowsIn(serving.blocks(), 3 * round + ticket, 1, 1));
    }
    REQUIRE(others.WaitFor(3));
    for (std::uint64_t ticket = 1; ticket <= 3; ++ticket) CHECK(others.CodeOf(ticket) == "");
  }
  REQUIRE(completions.WaitFor(3 * kRounds));
  for (std::uint64_t ticket = 1; ticket <= 3 * kRounds; ++ticket) {
    CHECK(completions.CodeOf(ticket) == "");
  }
  CHECK(device->FreeBytes() == 7 * kGigabyte);
}

TEST_CASE("an artifact for a device has its weights outside, unpacked, and answers as its source") {
  const TempDir dir;
  const PackReport report = PackArtifact(Library(), ModelPath("linear/1"), dir / "artifact",
                                         {.target = PackTarget::kDevice});
  CHECK(report.form == ArtifactForm::kExternal);
  CHECK(report.reason == "a GPU takes weights as they are");
  CHECK(report.verified);
  CHECK(report.unpacked_slowdown == 0);
  CHECK(report.private_bytes == 0);
  CHECK(report.load_bytes > 0);
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  ModelOptions options = OptionsFor(device, "linear/1");
  options.model_path = (dir / "artifact") / kArtifactModel;
  const Model model(Library(), options, [](const std::vector<Completion>&) {});
  CHECK(model.outputs().size() == 1);
}

}  // namespace warmswap::test
