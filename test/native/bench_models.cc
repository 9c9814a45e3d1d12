#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "cuda_standin.h"
#include "native/lane_client.h"
#include "native/models.h"
#include "native/requests.h"
#include "native/routes.h"
#include "native/target.h"
#include "standin_device.h"
#include "support.h"

namespace warmswap::test {
namespace {

constexpr bench::ModelName kShift{"shift/1", 4};

std::filesystem::path Fixtures() {
  return ModelPath(kShift.folder).parent_path().parent_path().parent_path();
}

/// The first row of the cases' inputs, plus 1.
std::vector<float> Expected() {
  std::vector<float> values;
  for (std::size_t i = 0; i < kShift.width; ++i) {
    const float x = static_cast<float>(i) / 100.0F - 1.0F;
    values.push_back(x + 1.0F);
  }
  return values;
}

/// What the fixture gives for one row, asked as the cases ask it.
std::vector<float> AnswerOf(bench::Models& models, bench::LoadRoute route) {
  bench::LaneClient client;
  const std::shared_ptr<Model> model =
      models.Load(kShift, route, Execution::kThreaded, client.Callback());
  client.SetRoutes(RouteTable({bench::RouteTo(kShift, 1, model)}));
  return Elements<float>(client.Infer(bench::MakeFrame(kShift, 1)));
}

}  // namespace

TEST_CASE("benchmarks load by each route that the processor has, and get the same answer") {
  bench::Models models(Library(), Fixtures());
  CHECK(models.routes().size() == 3);
  for (const bench::LoadRoute route : models.routes()) {
    CHECK(AnswerOf(models, route) == Expected());
  }
}

TEST_CASE("benchmarks load by each route that a device has, and ask from its pinned memory") {
  const CudaStandin standin;
  const auto device = std::make_shared<StandinDevice>(standin);
  bench::Models models(Library(), Fixtures(), {bench::DeviceKind::kCuda, device, "stand-in"});
  CHECK(models.routes().size() == 2);
  for (const bench::LoadRoute route : models.routes()) {
    CHECK(AnswerOf(models, route) == Expected());
  }
  CHECK(device->sessions() == 2);
  CHECK(device->pinned().pinned_bytes() > 0);
  CHECK(device->pinned().misses() == 0);
}

TEST_CASE("benchmarks name what a machine lacks for CUDA, and leave nothing of the GPU taken") {
  const CudaStandin standin;
  const Error no_provider =
      ErrorOf([] { bench::OpenTarget(bench::DeviceKind::kCuda, Library(), CudaStandin::path()); });
  CHECK(CodeName(no_provider) == "FAILED_PRECONDITION");
  CHECK(Contains(Message(no_provider), "this ONNX Runtime"));
  const Error no_driver = ErrorOf(
      [] { bench::OpenTarget(bench::DeviceKind::kCuda, Library(), "/nonexistent/libcuda.so"); });
  CHECK(CodeName(no_driver) == "FAILED_PRECONDITION");
  CHECK_FALSE(bench::OpenTarget(bench::DeviceKind::kCpu, Library()).device);
}

}  // namespace warmswap::test
