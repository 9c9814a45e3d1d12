#include "core/artifact_layout.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "onnx_builder.h"
#include "support.h"

namespace warmswap::test {
namespace {

ExternalTensor Plain(std::uint64_t offset, std::uint64_t length) {
  ExternalTensor tensor;
  tensor.data = {offset, length};
  return tensor;
}

ExternalTensor Packed(std::uint64_t offset, std::uint64_t length, std::vector<DataBlob> blobs) {
  ExternalTensor tensor = Plain(offset, length);
  tensor.packed.push_back({"key", std::move(blobs)});
  return tensor;
}

/// from and to of every move.
std::vector<std::uint64_t> Moves(const ArtifactLayout& layout) {
  std::vector<std::uint64_t> moves;
  for (const BlobMove& move : layout.moves) {
    moves.push_back(move.from.offset);
    moves.push_back(move.to);
  }
  return moves;
}

std::string Floats(std::string name, std::int64_t count, std::uint64_t offset,
                   const std::string& packed = "") {
  std::vector<std::pair<std::string, std::string>> entries{{"location", "saved.bin"},
                                                           {"offset", std::to_string(offset)},
                                                           {"length", std::to_string(4 * count)}};
  if (!packed.empty()) entries.emplace_back("prepacked_0", packed);
  return TensorMessage(
      {.name = std::move(name), .dims = {count}, .external_data = std::move(entries)});
}

/// What ONNX Runtime saved, and where the artifact goes.
struct Folders {
  TempDir dir;
  std::filesystem::path saved_model = dir / "saved.onnx";
  std::filesystem::path saved_data = dir / "saved.bin";
  std::filesystem::path model = dir / "model.onnx";
  std::filesystem::path data = dir / "weights.bin";

  std::uint64_t Write() const { return WriteArtifactFiles(saved_model, saved_data, model, data); }
};

}  // namespace

TEST_CASE("small blobs are aligned to 64 bytes, large ones to pages") {
  const ArtifactLayout layout =
      PlanLayout({Plain(0, 100), Plain(100, kLargeBlob - 1), Plain(70'000, kLargeBlob),
                  Plain(200'000, 1), Plain(300'000, 1)});
  const std::uint64_t large = 17 * kPageAlignment;
  CHECK(Moves(layout) == std::vector<std::uint64_t>{0, 0, 100, 128, 70'000, large, 200'000,
                                                    large + kLargeBlob, 300'000,
                                                    large + kLargeBlob + kBlobAlignment});
  CHECK(layout.size == large + kLargeBlob + kBlobAlignment + 1);
}

TEST_CASE("what a session uses comes first, weights with a packed form last") {
  const ArtifactLayout layout =
      PlanLayout({Packed(0, 10, {{10, 10}, {20, 10}}), Plain(30, 10), Packed(40, 10, {{50, 10}})});
  CHECK(Moves(layout) ==
        std::vector<std::uint64_t>{10, 0, 20, 64, 30, 128, 50, 192, 0, 256, 40, 320});
}

TEST_CASE("a blob that several tensors share is placed once") {
  const ArtifactLayout layout = PlanLayout({Plain(0, 10), Plain(0, 10), Packed(20, 5, {{0, 10}})});
  CHECK(Moves(layout) == std::vector<std::uint64_t>{0, 0, 20, 64});
}

TEST_CASE("tensors without bytes need no place") {
  const ArtifactLayout layout = PlanLayout({Plain(0, 0), Plain(0, 10), Plain(10, 0)});
  CHECK(layout.size == 64);
  CHECK(PlanLayout({}).size == 0);
}

TEST_CASE("weights that overlap are FAILED_PRECONDITION") {
  CHECK(CodeName(ErrorOf([] {
          PlanLayout({Plain(0, 10), Plain(9, 10)});
        })) == "FAILED_PRECONDITION");
  CHECK(CodeName(ErrorOf([] {
          PlanLayout({Plain(0, 10), Packed(100, 10, {{0, 11}})});
        })) == "FAILED_PRECONDITION");
}

TEST_CASE("the artifact's data file has every blob where its model says") {
  const Folders folders;
  const std::string large(kLargeBlob + 4, 'L');
  WriteFile(folders.saved_data, "?AAAA" + large + "BBBBbbbbPPP");
  WriteFile(folders.saved_model,
            ModelWithInitializers({Floats("A", 1, 1), Floats("L", (kLargeBlob + 4) / 4, 5),
                                   Floats("B", 2, 5 + large.size(),
                                          "k|" + std::to_string(13 + large.size()) + ";3;0")}));
  const std::uint64_t size = folders.Write();
  const std::string data = ReadFile(folders.data);
  CHECK(data.size() == size);
  const std::string model = ReadFile(folders.model);
  const OnnxContents contents = ParseOnnx(MessageBytes(model));
  const auto bytes_of = [&](const DataBlob& blob) { return data.substr(blob.offset, blob.length); };
  REQUIRE(contents.external.size() == 3);
  CHECK(bytes_of(contents.external[0].data) == "AAAA");
  CHECK(bytes_of(contents.external[1].data) == large);
  CHECK(contents.external[1].data.offset % kPageAlignment == 0);
  CHECK(bytes_of(contents.external[2].data) == "BBBBbbbb");
  CHECK(bytes_of(contents.external[2].packed.at(0).blobs.at(0)) == "PPP");
  for (const ExternalTensor& tensor : contents.external) CHECK(tensor.location == "weights.bin");
}

TEST_CASE("packed forms are in the order of their keys, whatever order they were saved in") {
  const auto write = [](const std::string& first, const std::string& second) {
    const Folders folders;
    WriteFile(folders.saved_data, "WWWWaaaabbbb");
    WriteFile(folders.saved_model,
              ModelWithInitializers({TensorMessage({.dims = {1},
                                                    .external_data = {{"location", "saved.bin"},
                                                                      {"length", "4"},
                                                                      {"prepacked_0", first},
                                                                      {"prepacked_1", second}}})}));
    folders.Write();
    return ReadFile(folders.model) + ReadFile(folders.data);
  };
  CHECK(write("a|4;4;0", "b|8;4;0") == write("b|8;4;0", "a|4;4;0"));
}

TEST_CASE("a model without external data gets no data file") {
  const Folders folders;
  std::filesystem::copy(ModelPath("shift/1"), folders.saved_model);
  CHECK(folders.Write() == 0);
  CHECK(ReadFile(folders.model) == ReadFile(folders.saved_model));
  CHECK_FALSE(std::filesystem::exists(folders.data));
}

TEST_CASE("a tensor that was left in another file, or is not whole, is FAILED_PRECONDITION") {
  for (const auto& [location, length] : {std::pair{"w.bin", "4"}, std::pair{"saved.bin", "0"}}) {
    const Folders folders;
    WriteFile(folders.saved_data, "WWWW");
    WriteFile(folders.saved_model,
              ModelWithInitializers({TensorMessage(
                  {.dims = {1}, .external_data = {{"location", location}, {"length", length}}})}));
    const Error error = ErrorOf([&] { folders.Write(); });
    CHECK(CodeName(error) == "FAILED_PRECONDITION");
    CHECK(Contains(error.what(), "'W'"));
    CHECK_FALSE(std::filesystem::exists(folders.model));
  }
}

TEST_CASE("a saved data file that is too short is FAILED_PRECONDITION") {
  const Folders folders;
  WriteFile(folders.saved_data, "WWW");
  WriteFile(folders.saved_model, ModelWithInitializers({Floats("W", 1, 0)}));
  const Error error = ErrorOf([&] { folders.Write(); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), "saved.bin"));
}

TEST_CASE("an artifact is never written over another") {
  const Folders folders;
  WriteFile(folders.saved_data, "WWWW");
  WriteFile(folders.saved_model, ModelWithInitializers({Floats("W", 1, 0)}));
  WriteFile(folders.data, "old");
  CHECK(CodeName(ErrorOf([&] { folders.Write(); })) == "FAILED_PRECONDITION");
  CHECK(ReadFile(folders.data) == "old");
}

}  // namespace warmswap::test
