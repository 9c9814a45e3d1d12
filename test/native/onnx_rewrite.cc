#include "core/onnx_rewrite.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "onnx_builder.h"
#include "support.h"

namespace warmswap::test {
namespace {

std::string Rewrite(
    std::string_view model,
    const std::function<void(ExternalTensor&)>& edit = [](ExternalTensor&) {}) {
  return RewriteOnnx(MessageBytes(model), edit);
}

std::string Weight(const std::string& name, const std::string& raw_data) {
  return TensorMessage({.name = name, .raw_data = raw_data});
}

}  // namespace

TEST_CASE("a model without external data stays as it is, byte by byte") {
  for (const auto* fixture : {"shift/1", "slow/1", "map-output/1", "mixed/1", "if-weights/1"}) {
    CAPTURE(fixture);
    const std::string model = ReadFile(ModelPath(fixture));
    CHECK(Rewrite(model) == model);
  }
}

TEST_CASE("what an edit leaves in location, data and packed is in the new model") {
  const std::string unknown = BytesField(16, "metadata") + NumberField(999, 7);
  const std::string tensor =
      TensorMessage({.name = "W",
                     .data_type = 10,
                     .dims = {3, 4},
                     .external_data = {{"location", "old.bin"},
                                       {"offset", "1"},
                                       {"length", "24"},
                                       {"checksum", "c"},
                                       {"prepacked_0", "k|10;2;9"},
                                       {"prepacked_1", "l|20;2;9|30;3;9"}}}) +
      unknown;
  const std::string rewritten =
      Rewrite(ModelWithInitializers({tensor}), [](ExternalTensor& external) {
        external.location = "a/much/longer/location.bin";
        external.data.offset = 123'456'789;
        external.packed.at(1).blobs.at(1).offset = 4096;
      });
  CHECK(Contains(rewritten, unknown));
  const OnnxContents contents = ParseOnnx(MessageBytes(rewritten));
  REQUIRE(contents.external.size() == 1);
  const ExternalTensor& external = contents.external[0];
  CHECK(external.name == "W");
  CHECK(external.data_type == 10);
  CHECK(external.dims == std::vector<std::int64_t>{3, 4});
  CHECK(external.location == "a/much/longer/location.bin");
  CHECK(external.data.offset == 123'456'789);
  CHECK(external.data.length == 24);
  REQUIRE(external.packed.size() == 2);
  CHECK(external.packed[0].key == "k");
  CHECK(external.packed[0].blobs.at(0).offset == 10);
  CHECK(external.packed[1].key == "l");
  CHECK(external.packed[1].blobs.at(0).offset == 20);
  CHECK(external.packed[1].blobs.at(1).offset == 4096);
  CHECK(external.packed[1].blobs.at(1).length == 3);
}

TEST_CASE("external tensors of inner graphs are edited too, in the order of ParseOnnx") {
  const std::string inner = BytesField(5, ExternalFloats("inner", {1}, "w.bin", 0));
  const std::string graph = BytesField(1, BytesField(5, BytesField(6, inner))) +
                            BytesField(5, ExternalFloats("outer", {1}, "w.bin", 4));
  std::vector<std::string> edited;
  const std::string rewritten = Rewrite(ModelWithGraph(graph), [&](ExternalTensor& tensor) {
    edited.emplace_back(tensor.name);
    tensor.location = "new.bin";
  });
  CHECK(edited == std::vector<std::string>{"inner", "outer"});
  const OnnxContents contents = ParseOnnx(MessageBytes(rewritten));
  REQUIRE(contents.external.size() == 2);
  CHECK(contents.external[0].location == "new.bin");
  CHECK(contents.external[1].location == "new.bin");
  CHECK(contents.external[1].data.offset == 4);
}

TEST_CASE("of several initializers of one name in a graph the last stays") {
  const std::string inner =
      BytesField(5, Weight("A", "first")) + BytesField(5, Weight("B", "only")) +
      BytesField(5, Weight("A", "second")) + BytesField(5, Weight("A", "third"));
  const std::string graph = BytesField(1, BytesField(5, BytesField(6, inner))) +
                            BytesField(5, Weight("A", "of the outer graph"));
  const std::string rewritten = Rewrite(ModelWithGraph(graph));
  CHECK_FALSE(Contains(rewritten, "first"));
  CHECK_FALSE(Contains(rewritten, "second"));
  for (const auto* kept : {"third", "only", "of the outer graph"}) {
    CHECK(Contains(rewritten, kept));
  }
  CHECK(Rewrite(rewritten) == rewritten);
}

TEST_CASE("what is no model is not rewritten but FAILED_PRECONDITION") {
  for (const auto* fixture : {"garbage/1", "truncated/1"}) {
    const std::string model = ReadFile(ModelPath(fixture));
    CHECK(CodeName(ErrorOf([&] { Rewrite(model); })) == "FAILED_PRECONDITION");
  }
}

}  // namespace warmswap::test
