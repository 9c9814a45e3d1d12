#include "core/external_data.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "onnx_builder.h"
#include "support.h"

namespace warmswap::test {
namespace {

constexpr std::size_t kFileBytes = 1024;

/// A folder with a model.onnx of these tensors, and beside it w.bin of 1024 bytes.
class ModelFolder {
 public:
  explicit ModelFolder(const std::vector<std::string>& tensors) {
    std::filesystem::create_directory(folder());
    WriteFile(model_path(), ModelWithInitializers(tensors));
    WriteFile(folder() / "w.bin", std::string(kFileBytes, 'w'));
  }
  std::filesystem::path folder() const { return dir_ / "1"; }
  std::filesystem::path outside() const { return dir_.path(); }
  std::filesystem::path model_path() const { return folder() / "model.onnx"; }
  ModelFiles Check() const { return CheckExternalData(model_path()); }
  /// The refusal, which names the model and the tensor in any case.
  Error Refusal() const {
    const Error error = ErrorOf([&] { Check(); });
    CHECK(CodeName(error) == "FAILED_PRECONDITION");
    CHECK(Contains(error.what(), model_path().string()));
    CHECK(Contains(error.what(), "tensor 'W'"));
    return error;
  }

 private:
  TempDir dir_;
};

std::string TensorWith(std::vector<std::pair<std::string, std::string>> external_data,
                       std::vector<std::int64_t> dims = {2}, std::int32_t data_type = 1) {
  return TensorMessage(
      {.data_type = data_type, .dims = std::move(dims), .external_data = std::move(external_data)});
}

std::string TensorIn(const std::string& location) { return ExternalFloats("W", {2}, location, 0); }

Error RefusalOf(const std::string& tensor) { return ModelFolder({tensor}).Refusal(); }

std::vector<std::uint64_t> Bounds(const std::vector<DataBlob>& blobs) {
  std::vector<std::uint64_t> bounds;
  for (const DataBlob& blob : blobs) {
    bounds.push_back(blob.offset);
    bounds.push_back(blob.offset + blob.length);
  }
  return bounds;
}

}  // namespace

TEST_CASE("a model's files come with their sizes") {
  const auto path = ModelPath("linear/1");
  const ModelFiles files = CheckExternalData(path);
  REQUIRE(files.external.size() == 1);
  const auto weights = std::filesystem::canonical(path.parent_path() / "weights.bin");
  CHECK(files.external[0].path == weights);
  CHECK(files.external[0].size == std::filesystem::file_size(weights));
  CHECK(files.model_bytes == std::filesystem::file_size(path));
  CHECK(files.external_bytes == 4 * (8 + 64 * 8));
  CHECK(files.largest_bytes == 4 * 64 * 8);
  CHECK(files.inline_bytes == 0);
  CHECK(files.packed_bytes == 0);
  CHECK(files.weight_bytes() == files.external_bytes);
}

TEST_CASE("a model without external data has no files beside it") {
  const ModelFiles files = CheckExternalData(ModelPath("shift/1"));
  CHECK(files.external.empty());
  CHECK(files.inline_bytes > 0);
}

TEST_CASE("a missing model is NOT_FOUND, a folder is FAILED_PRECONDITION") {
  const TempDir dir;
  CHECK(CodeName(ErrorOf([&] { CheckExternalData(dir / "model.onnx"); })) == "NOT_FOUND");
  CHECK(CodeName(ErrorOf([&] { CheckExternalData(dir.path()); })) == "FAILED_PRECONDITION");
}

TEST_CASE("what is no model is FAILED_PRECONDITION, with its path") {
  const Error error = ErrorOf([] { CheckExternalData(ModelPath("garbage/1")); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), "garbage/1/model.onnx: malformed"));
}

TEST_CASE("several tensors, and several ways to write a location, are one file") {
  const ModelFolder model({TensorIn("w.bin"), TensorIn("./w.bin"), TensorIn("link.bin")});
  std::filesystem::create_symlink("w.bin", model.folder() / "link.bin");
  const ModelFiles files = model.Check();
  REQUIRE(files.external.size() == 1);
  CHECK(files.external[0].size == kFileBytes);
  CHECK(files.external_bytes == 24);
}

TEST_CASE("data may be in a folder of the model's, and be linked from within") {
  const ModelFolder model({TensorIn("data/v.bin"), TensorIn("same/v.bin")});
  std::filesystem::create_directory(model.folder() / "data");
  std::filesystem::create_directory_symlink("data", model.folder() / "same");
  WriteFile(model.folder() / "data/v.bin", "12345678");
  CHECK(model.Check().external.at(0).path.filename() == "v.bin");
}

TEST_CASE("a model may be reached through a link to its folder, and by a relative path") {
  const ModelFolder model({TensorIn("w.bin")});
  std::filesystem::create_directory_symlink("1", model.outside() / "latest");
  CHECK(CheckExternalData(model.outside() / "latest/model.onnx").external.size() == 1);
  const auto relative = std::filesystem::relative(model.model_path());
  CHECK(CheckExternalData(relative).external.size() == 1);
}

TEST_CASE("a location that is absolute or leads upwards is refused") {
  const ModelFolder absolute({TensorIn("/etc/passwd")});
  CHECK(Contains(absolute.Refusal().what(), "absolute"));
  for (const auto* location : {"../w.bin", "data/../../w.bin", "data/../w.bin", ".."}) {
    CAPTURE(location);
    CHECK(Contains(RefusalOf(TensorIn(location)).what(), "'..'"));
  }
}

TEST_CASE("a location whose name only begins like the folder's is outside") {
  const ModelFolder model({TensorIn("link.bin")});
  std::filesystem::create_directory(model.outside() / "10");
  WriteFile(model.outside() / "10/w.bin", std::string(kFileBytes, 'w'));
  std::filesystem::create_symlink("../10/w.bin", model.folder() / "link.bin");
  CHECK(Contains(model.Refusal().what(), "leads out"));
}

TEST_CASE("a link that leads out of the model's folder is refused") {
  const ModelFolder model({TensorIn("link.bin")});
  WriteFile(model.outside() / "w.bin", std::string(kFileBytes, 'w'));
  std::filesystem::create_symlink("../w.bin", model.folder() / "link.bin");
  CHECK(Contains(model.Refusal().what(), "leads out"));
}

TEST_CASE("a file that is missing, or no regular file, is refused with its location") {
  CHECK(Contains(RefusalOf(TensorIn("v.bin")).what(), "'v.bin'"));
  CHECK(Contains(RefusalOf(TensorIn(".")).what(), "no regular file"));
  CHECK(Contains(RefusalOf(TensorIn("w.bin/x")).what(), "'w.bin/x'"));
  CHECK(Contains(RefusalOf(TensorIn(std::string(10'000, 'x'))).what(), "cannot be opened"));
  CHECK(Contains(RefusalOf(TensorIn(std::string("w.bin\0x", 7))).what(), "no path"));
}

TEST_CASE("data that does not fit into its file is refused with the numbers") {
  const auto refusal = [](const char* offset, const char* length, std::int64_t elements) {
    return Message(RefusalOf(
        TensorWith({{"location", "w.bin"}, {"offset", offset}, {"length", length}}, {elements})));
  };
  const std::string beyond = refusal("1020", "8", 2);
  CHECK(Contains(beyond, "1020"));
  CHECK(Contains(beyond, "1024"));
  CHECK(Contains(beyond, "w.bin"));
  CHECK(Contains(refusal("0", "1028", 257), "1028"));
  CHECK(Contains(refusal("9223372036854775807", "8", 2), "9223372036854775807"));
  // Of a datatype without a size, so that only the file bounds it.
  const std::string huge = "9223372036854775807";
  CHECK(Contains(
      RefusalOf(TensorWith({{"location", "w.bin"}, {"offset", huge}, {"length", huge}}, {2}, 8))
          .what(),
      huge + " bytes at offset " + huge));
}

TEST_CASE("data up to the last byte of its file is fine") {
  const ModelFolder model(
      {TensorWith({{"location", "w.bin"}, {"offset", "1016"}, {"length", "8"}}),
       TensorWith({{"location", "w.bin"}, {"offset", "1024"}, {"length", "0"}}, {0})});
  CHECK(model.Check().external_bytes == 8);
}

TEST_CASE("a length that does not agree with shape and datatype is refused with both") {
  const std::string wrong =
      Message(RefusalOf(TensorWith({{"location", "w.bin"}, {"length", "9"}})));
  CHECK(Contains(wrong, "9 bytes"));
  CHECK(Contains(wrong, "need 8"));
  CHECK(Contains(RefusalOf(TensorWith({{"location", "w.bin"}}, {300})).what(), "1200 bytes"));
  CHECK(Contains(RefusalOf(TensorWith({{"location", "w.bin"}, {"length", "4"}}, {3}, 22)).what(),
                 "need 2"));
  CHECK(Contains(RefusalOf(TensorWith({{"location", "w.bin"}}, {-1})).what(), "-1"));
}

TEST_CASE("a length that is left out is what shape and datatype need") {
  const ModelFolder model({TensorWith({{"location", "w.bin"}}, {3}, 22),
                           TensorWith({{"location", "w.bin"}, {"length", "5"}}, {1}, 8)});
  CHECK(model.Check().external_bytes == 2 + 5);
}

TEST_CASE("packed blobs are checked, and are what a session uses") {
  const ModelFolder model(
      {TensorWith(
           {{"location", "w.bin"}, {"offset", "512"}, {"prepacked_0", "k|128;64;0|256;8;0"}}),
       TensorWith({{"location", "w.bin"}, {"offset", "4"}})});
  const ModelFiles files = model.Check();
  CHECK(files.packed_bytes == 72);
  CHECK(files.largest_bytes == 72);
  CHECK(Bounds(files.external.at(0).used) == std::vector<std::uint64_t>{4, 12, 128, 192, 256, 264});
  CHECK(
      Contains(RefusalOf(TensorWith({{"location", "w.bin"}, {"prepacked_0", "k|1020;8;0"}})).what(),
               "packed blob of 8 bytes at offset 1020"));
}

TEST_CASE("parts of a file that overlap or touch are used as one") {
  const auto at = [](const char* offset, std::int64_t elements) {
    return TensorWith({{"location", "w.bin"}, {"offset", offset}}, {elements});
  };
  const ModelFolder model({at("100", 2), at("0", 4), at("8", 1), at("16", 1), at("104", 4)});
  CHECK(Bounds(model.Check().external.at(0).used) == std::vector<std::uint64_t>{0, 20, 100, 120});
}

TEST_CASE("weights of half a float count wherever they are, and make estimates larger") {
  const std::string inline_half =
      TensorMessage({.data_type = 10, .raw_data = std::string(500, 'w')});
  const std::string half = TensorWith({{"location", "w.bin"}, {"length", "400"}}, {200}, 16);
  const std::string whole = ExternalFloats("F", {100}, "w.bin", 400);
  const ModelFiles files = ModelFolder({inline_half, half, whole}).Check();
  CHECK(files.half_bytes == inline_half.size() + 400);
  CHECK(files.largest_bytes == inline_half.size());
  CHECK(files.computed_bytes() == 2 * inline_half.size() + 2 * 400 + 400);
  CHECK(EstimateLoadBytes(files) > 2 * files.computed_bytes());
  CHECK(EstimatePackBytes(files) > 2 * files.computed_bytes() + 2 * inline_half.size());
}

TEST_CASE("a model that is no artifact is estimated at twice its weights and a little") {
  ModelFiles files;
  files.external_bytes = 1'000'000'000;
  files.inline_bytes = 500;
  const std::uint64_t bytes = EstimateLoadBytes(files);
  CHECK(bytes > 2'000'001'000);
  CHECK(bytes < 2'100'000'000);
}

}  // namespace warmswap::test
