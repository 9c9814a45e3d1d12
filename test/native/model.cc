#include "core/model.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/onnx_rewrite.h"
#include "onnx_builder.h"
#include "support.h"

namespace warmswap::test {
namespace {

ModelOptions OptionsFor(const std::filesystem::path& model_path) {
  return {model_path, {}, {.threads = 1, .queue_capacity = 16}};
}

/// A copy of a fixture's version folder.
class Version {
 public:
  explicit Version(std::string_view fixture) {
    std::filesystem::copy(ModelPath(fixture).parent_path(), folder(),
                          std::filesystem::copy_options::recursive);
  }
  std::filesystem::path folder() const { return dir_ / "1"; }
  std::filesystem::path model_path() const { return folder() / "model.onnx"; }
  void Add(const std::filesystem::path& name, std::string_view contents) const {
    std::filesystem::create_directories((folder() / name).parent_path());
    WriteFile(folder() / name, contents);
  }

 private:
  TempDir dir_;
};

Error LoadError(const ModelOptions& options) {
  return ErrorOf(
      [&] { const Model model(Library(), options, [](const std::vector<Completion>&) {}); });
}

std::size_t MappedBytes(const std::filesystem::path& model_path) {
  const Model model(Library(), OptionsFor(model_path), [](const std::vector<Completion>&) {});
  return model.Memory().mapped_bytes;
}

bool IsMapped(const std::filesystem::path& folder) { return !MappingsBelow(folder).empty(); }

}  // namespace

TEST_CASE("a model answers, and has its session's signature") {
  Completions completions;
  Model model(Library(), OptionsFor(ModelPath("shift/2")), completions.Callback());
  REQUIRE(model.inputs().size() == 1);
  CHECK(model.inputs()[0].name == "x");
  CHECK(model.outputs().at(0).name == "y");
  model.Submit(ShiftRequest(1, 5));
  REQUIRE(completions.WaitFor(1));
  CHECK(Elements<float>(completions.TakeResult(1)) == std::vector<float>{7, 8, 9, 10});
}

TEST_CASE("a model maps all files of its version, resident, until it goes") {
  const Version version("linear/1");
  const auto size = std::filesystem::file_size(version.model_path()) +
                    std::filesystem::file_size(version.folder() / "weights.bin");
  {
    const Model model(Library(), OptionsFor(version.model_path()),
                      [](const std::vector<Completion>&) {});
    CHECK(IsMapped(version.folder()));
    CHECK(model.Memory().mapped_bytes == size);
    CHECK(model.Memory().resident_bytes == size);
  }
  CHECK_FALSE(IsMapped(version.folder()));
}

TEST_CASE("a model tells the private memory that its session took") {
  constexpr std::size_t kElements = std::size_t{8} << 20U;
  const TempDir dir;
  WriteFile(dir / "model.onnx", ModelWithInlineWeight(kElements));
  const Model model(Library(), OptionsFor(dir / "model.onnx"),
                    [](const std::vector<Completion>&) {});
  // Other memory may have gone back to the system meanwhile.
  CHECK(model.Memory().private_bytes >= sizeof(float) * kElements * 99 / 100);
  const Model small(Library(), OptionsFor(ModelPath("shift/1")),
                    [](const std::vector<Completion>&) {});
  CHECK(small.Memory().private_bytes < sizeof(float) * kElements);
}

TEST_CASE("a model's files are populated: no run meets a page that is not mapped in") {
  if (!KernelPopulates()) return;
  const Version version("linear/1");
  const Model model(Library(), OptionsFor(version.model_path()),
                    [](const std::vector<Completion>&) {});
  std::size_t shared = 0;
  for (const Mapping& mapping : MappingsBelow(version.folder())) {
    if (mapping.permissions != "r--s") continue;  // ONNX Runtime's own
    ++shared;
    CHECK(mapping.mapped_in_bytes >= std::filesystem::file_size(mapping.path));
  }
  CHECK(shared == 2);
}

TEST_CASE("files of the version that the model does not refer to are not mapped") {
  const Version version("linear/1");
  const std::size_t bare = MappedBytes(version.model_path());
  version.Add("golden/first.json", "1234567");
  version.Add("weights.bin.old", "1234567");
  CHECK(MappedBytes(version.model_path()) == bare);
}

TEST_CASE("weights in a folder of the version are mapped") {
  const Version version("linear/1");
  const std::size_t bare = MappedBytes(version.model_path());
  version.Add("weights/layers.bin", ReadFile(version.folder() / "weights.bin"));
  const std::string model = ReadFile(version.model_path());
  const std::string moved = RewriteOnnx(
      MessageBytes(model), [](ExternalTensor& tensor) { tensor.location = "weights/layers.bin"; });
  WriteFile(version.model_path(), moved);
  CHECK(MappedBytes(version.model_path()) == bare + moved.size() - model.size());
}

TEST_CASE("what is no regular file in a version folder is left alone") {
  const Version version("shift/1");
  const std::size_t bare = MappedBytes(version.model_path());
  REQUIRE(mkfifo((version.folder() / "pipe").c_str(), 0600) == 0);
  std::filesystem::create_symlink("nowhere", version.folder() / "dangling");
  std::filesystem::create_directory_symlink("..", version.folder() / "parent");
  CHECK(MappedBytes(version.model_path()) == bare);
}

TEST_CASE("a model runs on when its files are deleted") {
  Completions completions;
  std::filesystem::path folder;
  const auto version = std::make_unique<Version>("linear/1");
  Model model(Library(), OptionsFor(version->model_path()), completions.Callback());
  std::filesystem::remove_all(version->folder());
  Request request;
  request.ticket = 1;
  request.outputs = {0};
  request.inputs.push_back(MakeInput(DataType::kFp32, std::vector<float>(64), {1, 64}));
  model.Submit(std::move(request));
  REQUIRE(completions.WaitFor(1));
  CHECK(Elements<float>(completions.TakeResult(1)) == std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("a missing model is NOT_FOUND, with its path, and is not reported as mapped") {
  const TempDir dir;
  int mapped = 0;
  ModelOptions options = OptionsFor(dir / "model.onnx");
  options.on_mapped = [&] { ++mapped; };
  const Error error = LoadError(options);
  CHECK(CodeName(error) == "NOT_FOUND");
  CHECK(Contains(error.what(), (dir / "model.onnx").string()));
  CHECK(mapped == 0);
}

TEST_CASE("a broken model is FAILED_PRECONDITION, and leaves no mapping") {
  for (const auto* fixture : {"garbage/1", "truncated/1", "missing-external/1"}) {
    const Version version(fixture);
    CHECK(CodeName(LoadError(OptionsFor(version.model_path()))) == "FAILED_PRECONDITION");
    CHECK_FALSE(IsMapped(version.folder()));
  }
}

TEST_CASE("a model is reported as mapped once, before its session is made") {
  int mapped = 0;
  ModelOptions options = OptionsFor(ModelPath("sequence-output/1"));
  options.on_mapped = [&] { ++mapped; };
  LoadError(options);
  CHECK(mapped == 1);
}

TEST_CASE(
    "a model that takes more memory than there is is refused before it is reported as mapped") {
  int mapped = 0;
  ModelOptions options = OptionsFor(ModelPath("shift/1"));
  options.reserve_bytes = std::uint64_t{1} << 60U;
  options.on_mapped = [&] { ++mapped; };
  CHECK(CodeName(LoadError(options)) == "RESOURCE_EXHAUSTED");
  CHECK(mapped == 0);
}

TEST_CASE("a load that is cancelled before it starts maps nothing") {
  const Version version("linear/1");
  int mapped = 0;
  ModelOptions options = OptionsFor(version.model_path());
  options.on_mapped = [&] { ++mapped; };
  options.session.cancellation->Cancel();
  const Error error = LoadError(options);
  CHECK(CodeName(error) == "CANCELLED");
  CHECK(Contains(error.what(), version.model_path().string()));
  CHECK(mapped == 0);
}

TEST_CASE(
    "a load that is cancelled when its session is to be made is CANCELLED, and holds nothing") {
  for (const bool optimised : {false, true}) {
    const Version version("linear/1");
    ModelOptions options = OptionsFor(version.model_path());
    options.session.optimised = optimised;
    options.on_mapped = [&] { options.session.cancellation->Cancel(); };
    CHECK(CodeName(LoadError(options)) == "CANCELLED");
    CHECK_FALSE(IsMapped(version.folder()));
  }
}

TEST_CASE(
    "a load that is cancelled while its session is made either ends as CANCELLED or is done") {
  const Version version("linear/1");
  for (int i = 0; i < 20; ++i) {
    ModelOptions options = OptionsFor(version.model_path());
    std::thread canceller;
    options.on_mapped = [&] {
      canceller = std::thread([&options] { options.session.cancellation->Cancel(); });
    };
    try {
      const Model model(Library(), options, [](const std::vector<Completion>&) {});
      CHECK(model.inputs().size() == 1);
    } catch (const Error& error) {
      CHECK(CodeName(error) == "CANCELLED");
    }
    canceller.join();
    CHECK_FALSE(IsMapped(version.folder()));
  }
}

TEST_CASE("cancelling a load that is done changes nothing") {
  Completions completions;
  const ModelOptions options = OptionsFor(ModelPath("shift/1"));
  Model model(Library(), options, completions.Callback());
  options.session.cancellation->Cancel();
  model.Submit(ShiftRequest(1));
  REQUIRE(completions.WaitFor(1));
  CHECK(completions.CodeOf(1) == "");
}

TEST_CASE("a model that is destroyed with work queued completes all of it as UNAVAILABLE") {
  Completions completions;
  {
    Model model(Library(), OptionsFor(ModelPath("slow/1")), completions.Callback());
    for (std::uint64_t ticket = 0; ticket < 8; ++ticket) {
      model.Submit(SlowRequest(ticket, kEndless));
    }
  }
  REQUIRE(completions.count() == 8);
  for (std::uint64_t ticket = 0; ticket < 8; ++ticket) {
    CHECK(completions.CodeOf(ticket) == "UNAVAILABLE");
  }
}

TEST_CASE("a stopped model refuses with UNAVAILABLE and still tells its memory") {
  const auto path = ModelPath("shift/1");
  Model model(Library(), OptionsFor(path), [](const std::vector<Completion>&) {});
  model.Stop();
  model.Stop();
  CHECK(CodeName(ErrorOf([&] { model.Submit(ShiftRequest(1)); })) == "UNAVAILABLE");
  CHECK(model.Memory().mapped_bytes == std::filesystem::file_size(path));
}

TEST_CASE("models load and go while another answers") {
  Completions completions;
  Model steady(Library(), OptionsFor(ModelPath("shift/1")), completions.Callback());
  for (std::uint64_t ticket = 0; ticket < 20; ++ticket) {
    steady.Submit(ShiftRequest(ticket));
    const Model passing(Library(), OptionsFor(ModelPath("linear/1")),
                        [](const std::vector<Completion>&) {});
    CHECK(passing.inputs().size() == 1);
  }
  REQUIRE(completions.WaitFor(20));
  for (std::uint64_t ticket = 0; ticket < 20; ++ticket) CHECK(completions.CodeOf(ticket) == "");
}

}  // namespace warmswap::test
