#include "core/artifact_packer.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/artifact_layout.h"
#include "core/error.h"
#include "core/external_data.h"
#include "core/mapped_file.h"
#include "core/model.h"
#include "core/model_probe.h"
#include "core/session.h"
#include "onnx_builder.h"
#include "support.h"

namespace warmswap::test {
namespace {

/// The artifact of a model, in a folder of its own.
class Artifact {
 public:
  explicit Artifact(const std::filesystem::path& source, const PackOptions& options = {})
      : report_(PackArtifact(Library(), source, folder(), options)) {}

  std::filesystem::path folder() const { return dir_ / "artifact"; }
  std::filesystem::path model() const { return folder() / kArtifactModel; }
  std::filesystem::path data() const { return folder() / kArtifactData; }
  const PackReport& report() const { return report_; }
  std::string form() const { return std::string(ToString(report_.form)); }
  Session Load() const { return {Library(), model(), {.intra_op_threads = 1, .optimised = true}}; }

 private:
  TempDir dir_;
  PackReport report_;
};

std::vector<std::string> FilesBelow(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    names.push_back(entry.path().lexically_relative(folder).string());
  }
  std::ranges::sort(names);
  return names;
}

Error PackError(const std::filesystem::path& source, const std::filesystem::path& output) {
  return ErrorOf([&] { PackArtifact(Library(), source, output, {}); });
}

/// While this lives, no file grows over this size.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

void CheckAligned(const DataBlob& blob) {
  CAPTURE(blob.offset);
  CHECK(blob.offset % (blob.length >= kLargeBlob ? kPageAlignment : kBlobAlignment) == 0);
}

/// Packs a model of this form, which must answer as its source does.
void CheckPacks(const std::filesystem::path& source, const std::string& form) {
  CAPTURE(source.string());
  const Artifact artifact(source);
  CHECK(artifact.form() == form);
  CHECK(artifact.report().verified);
  Session from(Library(), source, {});
  Session to = artifact.Load();
  const std::vector<ProbeAnswer> answers = Probe(from);
  CHECK_FALSE(answers.empty());
  CHECK(FindDifference(to, answers).value_or("") == "");
}

}  // namespace

TEST_CASE("models that ONNX Runtime packs weights of become prepacked artifacts") {
  for (const auto* fixture :
       {"linear/1", "mlp/1", "mlp-external/1", "lstm/1", "fp16/1", "qdq/1", "dynamic-quantized/1",
        "int4/1", "if-weights/1", "loop-weights/1", "equal-weights/1", "tied-embedding/1"}) {
    CheckPacks(ModelPath(fixture), "prepacked");
  }
}

TEST_CASE("models whose weights are used as they are become external artifacts") {
  const Artifact artifact(ModelPath("embedding/1"));
  CHECK(artifact.form() == "external");
  CHECK(Contains(artifact.report().reason, "no packed weights"));
  CheckPacks(ModelPath("embedding/1"), "external");
  CheckPacks(ModelPath("conv/1"), "external");
}

TEST_CASE("models with little in them become inline artifacts, of one file") {
  for (const auto* fixture : {"shift/1", "slow/1", "identity-bytes/1", "identity-bf16/1"}) {
    CheckPacks(ModelPath(fixture), "inline");
  }
  const Artifact artifact(ModelPath("shift/1"));
  CHECK(FilesBelow(artifact.folder()) == std::vector<std::string>{"model.onnx"});
  CHECK(artifact.report().data_file_bytes == 0);
  CHECK(artifact.report().reason != "");
}

TEST_CASE("a prepacked artifact is two files, aligned, that the report describes") {
  const Artifact artifact(ModelPath("mlp/1"));
  const PackReport& report = artifact.report();
  CHECK(FilesBelow(artifact.folder()) == std::vector<std::string>{"model.onnx", "weights.bin"});
  CHECK(report.reason == "");
  CHECK(report.source_bytes == std::filesystem::file_size(ModelPath("mlp/1")));
  CHECK(report.data_file_bytes == std::filesystem::file_size(artifact.data()));
  CHECK(report.artifact_bytes ==
        report.data_file_bytes + std::filesystem::file_size(artifact.model()));
  CHECK(report.weight_bytes >= 3 * 64 * 64 * 4);
  CHECK(report.load_bytes == report.private_bytes + 64 * 64 * 4);
  CHECK(report.seconds > 0);

  const MappedFile model = MappedFile::Open(artifact.model());
  const OnnxContents contents = ParseOnnx(model.bytes());
  REQUIRE(contents.external.size() == 3);
  for (const ExternalTensor& tensor : contents.external) {
    CHECK(tensor.location == kArtifactData);
    CHECK(tensor.data.length == 64 * 64 * 4);
    CheckAligned(tensor.data);
    for (const PackedWeight& packed : tensor.packed) {
      for (const DataBlob& blob : packed.blobs) CheckAligned(blob);
    }
  }
}

TEST_CASE("packing a model again gives the same bytes") {
  for (const auto* fixture : {"mlp/1", "lstm/1", "if-weights/1", "tied-embedding/1"}) {
    CAPTURE(fixture);
    const Artifact first(ModelPath(fixture));
    const Artifact second(ModelPath(fixture));
    CHECK(ReadFile(first.model()) == ReadFile(second.model()));
    CHECK(ReadFile(first.data()) == ReadFile(second.data()));
  }
}

// Else the threads of the sessions that load it would belong into its key.
TEST_CASE("an artifact is the same for any number of threads") {
  for (const auto* fixture : {"mlp/1", "lstm/1", "fp16/1", "qdq/1", "dynamic-quantized/1", "int4/1",
                              "conv/1", "tied-embedding/1"}) {
    CAPTURE(fixture);
    const Artifact one(ModelPath(fixture));
    const Artifact several(ModelPath(fixture), {.intra_op_threads = 3});
    CHECK(ReadFile(one.model()) == ReadFile(several.model()));
    CHECK(ReadFile(one.data()) == ReadFile(several.data()));
  }
}

TEST_CASE("an artifact can be packed again") {
  const Artifact first(ModelPath("mlp/1"));
  CheckPacks(first.model(), "prepacked");
  const Artifact second(first.model());
  CHECK(ReadFile(first.data()) == ReadFile(second.data()));
}

TEST_CASE("a session of an artifact reads packed weights from the artifact's file") {
  const Artifact artifact(ModelPath("mlp/1"));
  const Session session = artifact.Load();
  std::size_t mapped = 0;
  for (const Mapping& mapping : MappingsBelow(artifact.folder())) {
    if (mapping.path == artifact.data()) ++mapped;
  }
  CHECK(mapped > 0);
}

TEST_CASE("a model of an artifact has its packed weights populated, its other weights not") {
  if (!KernelPopulates()) return;
  // Bigger than what the kernel maps around a page that is touched.
  const Artifact artifact(ModelPath("tied-embedding/1"));
  const ModelOptions options{
      artifact.model(), {.intra_op_threads = 1, .optimised = true}, {.threads = 1}};
  const Model model(Library(), options, [](const std::vector<Completion>&) {});
  for (const Mapping& mapping : MappingsBelow(artifact.folder())) {
    if (mapping.permissions != "r--s" || mapping.path != artifact.data()) continue;
    CHECK(mapping.mapped_in_bytes >= 2000 * 64 * 4);
    CHECK(mapping.mapped_in_bytes < artifact.report().data_file_bytes);
  }
}

namespace {

ModelOptions Unpacked(const Artifact& artifact) {
  ModelOptions options;
  options.model_path = artifact.model();
  options.session.optimised = true;
  options.session.prepacking = false;
  return options;
}

Request MlpRequest(std::uint64_t ticket) {
  Request request;
  request.ticket = ticket;
  request.outputs = {0};
  request.inputs.push_back(MakeInput(DataType::kFp32, std::vector<float>(64, 0.5F), {1, 64}));
  return request;
}

}  // namespace

TEST_CASE("an artifact serves before its packed weights are in use, and answers the same after") {
  const Artifact artifact(ModelPath("mlp-external/1"));
  CHECK(artifact.report().unpacked_slowdown > 0);
  Completions completions;
  Model model(Library(), Unpacked(artifact), completions.Callback());
  model.Submit(MlpRequest(1));
  REQUIRE(completions.WaitFor(1));
  std::thread prepacking([&] { model.Prepack(); });
  for (std::uint64_t ticket = 2; ticket < 200; ++ticket) model.Submit(MlpRequest(ticket));
  prepacking.join();
  model.Submit(MlpRequest(200));
  REQUIRE(completions.WaitFor(200));
  const std::vector<float> expected = Elements<float>(completions.TakeResult(1));
  for (std::uint64_t ticket = 2; ticket <= 200; ++ticket) {
    const std::vector<float> got = Elements<float>(completions.TakeResult(ticket));
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]));
  }
}

TEST_CASE("prepacking that is cancelled, or whose files are gone, leaves the model serving") {
  Completions completions;
  {
    const Artifact artifact(ModelPath("mlp-external/1"));
    Model model(Library(), Unpacked(artifact), completions.Callback());
    std::filesystem::remove_all(artifact.folder());
    CHECK(CodeName(ErrorOf([&] { model.Prepack(); })) == "NOT_FOUND");
    model.Submit(MlpRequest(1));
    REQUIRE(completions.WaitFor(1));
    CHECK(completions.CodeOf(1).empty());
  }
  const Artifact artifact(ModelPath("mlp-external/1"));
  Model model(Library(), Unpacked(artifact), completions.Callback());
  model.CancelPrepacking();
  CHECK(CodeName(ErrorOf([&] { model.Prepack(); })) == "CANCELLED");
  model.Submit(MlpRequest(2));
  REQUIRE(completions.WaitFor(2));
  CHECK(completions.CodeOf(2).empty());
}

TEST_CASE("a model whose answers cannot be compared is packed unverified") {
  const TempDir dir;
  WriteFile(dir / "random.onnx", UnaryModel("RandomNormalLike"));
  const PackReport report = PackArtifact(Library(), dir / "random.onnx", dir / "artifact", {});
  CHECK(report.form == ArtifactForm::kInline);
  CHECK_FALSE(report.verified);
}

TEST_CASE("where packed weights cannot be saved the artifact is external, and says why") {
  const TempDir dir;
  const FileSizeLimit limit(70'000);
  const PackReport report = PackArtifact(Library(), ModelPath("mlp/1"), dir / "artifact", {});
  CHECK(report.form == ArtifactForm::kExternal);
  CHECK(Contains(report.reason, "cannot be saved packed: "));
  CHECK(report.verified);
  CHECK(report.data_file_bytes < 70'000);
  CHECK(FilesBelow(dir / "artifact") == std::vector<std::string>{"model.onnx", "weights.bin"});
}

TEST_CASE("where nothing can be saved packing fails and leaves nothing") {
  const TempDir dir;
  const FileSizeLimit limit(1000);
  const Error error = PackError(ModelPath("mlp/1"), dir / "artifact");
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), "cannot save"));
  CHECK(FilesBelow(dir / "artifact").empty());
}

TEST_CASE("a model that cannot be served fails with its code and leaves nothing") {
  const std::vector<std::pair<std::string, std::string>> bad{
      {"garbage/1", "FAILED_PRECONDITION"},
      {"truncated/1", "FAILED_PRECONDITION"},
      {"missing-external/1", "FAILED_PRECONDITION"},
      {"sequence-output/1", "UNIMPLEMENTED"},
      {"map-output/1", "UNIMPLEMENTED"},
      {"optional-input/1", "UNIMPLEMENTED"}};
  for (const auto& [fixture, code] : bad) {
    CAPTURE(fixture);
    const TempDir dir;
    CHECK(CodeName(PackError(ModelPath(fixture), dir.path())) == code);
    CHECK(FilesBelow(dir.path()).empty());
  }
  const TempDir dir;
  CHECK(CodeName(PackError(dir / "model.onnx", dir / "artifact")) == "NOT_FOUND");
}

TEST_CASE("what packing takes on the disk is estimated well") {
  for (const auto* fixture :
       {"linear/1", "mlp/1", "mlp-external/1", "lstm/1", "fp16/1", "qdq/1", "dynamic-quantized/1",
        "int4/1", "if-weights/1", "conv/1", "tied-embedding/1", "embedding/1", "shift/1"}) {
    CAPTURE(fixture);
    const Artifact artifact(ModelPath(fixture));
    const std::uint64_t estimate = EstimatePackBytes(CheckExternalData(ModelPath(fixture)));
    CHECK(artifact.report().artifact_bytes <= estimate);
  }
  const ModelFiles floats = CheckExternalData(ModelPath("mlp/1"));
  CHECK(EstimatePackBytes(floats) < 3 * floats.weight_bytes());
  const Artifact half(ModelPath("fp16/1"));
  CHECK(half.report().artifact_bytes > 3 * half.report().source_bytes);
}

TEST_CASE("a model that would fill the disk is RESOURCE_EXHAUSTED, with the numbers") {
  constexpr std::uint64_t kTebibyte = std::uint64_t{1} << 40U;
  constexpr std::size_t kTensors = 4096;
  const TempDir dir;
  WriteFile(dir / "w.bin", "");
  std::filesystem::resize_file(dir / "w.bin", kTebibyte);  // a hole
  const std::string tensor = ExternalFloats("W", {kTebibyte / 4}, "w.bin", 0);
  WriteFile(dir / "model.onnx", ModelWithInitializers(std::vector(kTensors, tensor)));
  const Error error = PackError(dir / "model.onnx", dir / "artifact");
  CHECK(CodeName(error) == "RESOURCE_EXHAUSTED");
  CHECK(Contains(error.what(),
                 "bytes free, packing needs about " +
                     std::to_string(EstimatePackBytes(CheckExternalData(dir / "model.onnx")))));
  CHECK(FilesBelow(dir / "artifact").empty());
}

TEST_CASE("an artifact that is there is left alone") {
  const TempDir dir;
  WriteFile(dir / kArtifactModel, "old");
  const Error error = PackError(ModelPath("mlp/1"), dir.path());
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), "model.onnx"));
  CHECK(FilesBelow(dir.path()) == std::vector<std::string>{"model.onnx"});
  CHECK(ReadFile(dir / kArtifactModel) == "old");
}

TEST_CASE("what a packer that was killed left in the directory does not matter") {
  const TempDir dir;
  std::filesystem::create_directories(dir / ".packing/x");
  WriteFile(dir / ".packing/model.onnx", "half");
  PackArtifact(Library(), ModelPath("mlp/1"), dir.path(), {});
  CHECK(FilesBelow(dir.path()) == std::vector<std::string>{"model.onnx", "weights.bin"});
}

}  // namespace warmswap::test
