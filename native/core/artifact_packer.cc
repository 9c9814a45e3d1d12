#include "core/artifact_packer.h"

#include <chrono>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "core/artifact_layout.h"
#include "core/error.h"
#include "core/external_data.h"
#include "core/file_io.h"
#include "core/host_memory.h"
#include "core/mapped_file.h"
#include "core/model_probe.h"
#include "core/onnx_rewrite.h"
#include "core/ort.h"
#include "core/session.h"

namespace warmswap {
namespace {

// Smaller weights stay in the model file: ONNX Runtime maps every external one for itself.
constexpr const char* kMinExternalBytes = "1024";
constexpr std::string_view kScratchDirectory = ".packing";
// A name of our own: a reference that ONNX Runtime did not rewrite must not fit by chance.
constexpr std::string_view kSavedData = "warmswap-saved-weights.bin";

// ONNX Runtime does not tell why it could not write: a disk with less left is called full.
constexpr std::uintmax_t kFullDisk = std::uintmax_t{1} << 20U;

/// Removes these paths when it goes, unless they are kept.
class Cleanup {
 public:
  explicit Cleanup(std::vector<std::filesystem::path> paths) : paths_(std::move(paths)) {}
  Cleanup(const Cleanup&) = delete;
  Cleanup& operator=(const Cleanup&) = delete;
  ~Cleanup() {
    std::error_code ignored;
    for (const std::filesystem::path& path : paths_) std::filesystem::remove_all(path, ignored);
  }
  void Keep() noexcept { paths_.clear(); }

 private:
  std::vector<std::filesystem::path> paths_;
};

class Packer {
 public:
  Packer(const OrtLibrary& library, std::filesystem::path source, std::filesystem::path output,
         const PackOptions& options)
      : library_(library),
        source_(std::move(source)),
        output_(std::move(output)),
        target_(options.target),
        session_options_{.intra_op_threads = options.intra_op_threads} {}

  PackReport Pack() {
    const ModelFiles files = CheckExternalData(source_);
    source_is_packed_ = files.packed_bytes > 0;
    PrepareOutput();
    RequireSpace(EstimatePackBytes(files));
    expected_ = AskSource();
    PackReport report = PackInBestForm();
    report.source_bytes = files.model_bytes;
    for (const ExternalFile& file : files.external) report.source_bytes += file.size;
    report.verified = !expected_.empty();
    return report;
  }

 private:
  void PrepareOutput() const {
    std::filesystem::create_directories(output_);
    for (const std::string_view name : {kArtifactModel, kArtifactData}) {
      if (std::filesystem::exists(output_ / name)) {
        throw Error(ErrorCode::kFailedPrecondition,
                    output_.string() + " already holds " + std::string(name));
      }
    }
  }

  void RequireSpace(std::uint64_t needed) const {
    const std::uintmax_t available = std::filesystem::space(output_).available;
    if (available >= needed) return;
    throw Error(ErrorCode::kResourceExhausted,
                output_.string() + " is on a file system with " + std::to_string(available) +
                    " bytes free, packing needs about " + std::to_string(needed));
  }

  // A session of its own, which has gone when the next is made: one set of weights in memory.
  std::vector<ProbeAnswer> AskSource() const {
    Session session(library_, source_, session_options_);
    return Probe(session);
  }

  PackReport PackInBestForm() const {
    if (target_ == PackTarget::kDevice) return PackInForm(ArtifactForm::kExternal);
    std::string reason;
    try {
      return PackInForm(ArtifactForm::kPrepacked);
    } catch (...) {
      reason = CurrentExceptionAsError().what();
    }
    PackReport report = PackInForm(ArtifactForm::kExternal);
    report.reason = "weights cannot be saved packed: " + reason;
    return report;
  }

  PackReport PackInForm(ArtifactForm wanted) const {
    Cleanup written({output_ / kArtifactModel, output_ / kArtifactData});
    PackReport report;
    report.data_file_bytes = WriteFiles(wanted);
    const ModelFiles files = CheckExternalData(output_ / kArtifactModel);
    Describe(files, report);
    const std::uint64_t private_bytes = Verify();
    if (target_ == PackTarget::kDevice) {
      report.load_bytes = EstimateHostBytesForDevice(files);
    } else {
      report.private_bytes = private_bytes;
      report.load_bytes = private_bytes + files.largest_bytes;
    }
    if (report.form == ArtifactForm::kPrepacked) report.unpacked_slowdown = UnpackedSlowdown();
    written.Keep();
    return report;
  }

  std::uint64_t WriteFiles(ArtifactForm wanted) const {
    const std::filesystem::path scratch = output_ / kScratchDirectory;
    const Cleanup cleanup({scratch});
    std::filesystem::remove_all(scratch);
    std::filesystem::create_directory(scratch);
    SaveOptimised(scratch / kArtifactModel, wanted);
    const std::uint64_t data_bytes =
        WriteArtifactFiles(scratch / kArtifactModel, scratch / kSavedData, output_ / kArtifactModel,
                           output_ / kArtifactData);
    File::OpenDirectory(output_).SyncToDisk();
    return data_bytes;
  }

  void SaveOptimised(const std::filesystem::path& model, ArtifactForm wanted) const {
    Ort::SessionOptions options = ToOrt(session_options_);
    // The levels above make what only the processor's kernels know.
    if (target_ == PackTarget::kDevice) options.SetGraphOptimizationLevel(ORT_ENABLE_BASIC);
    options.SetOptimizedModelFilePath(model.c_str());
    options.AddConfigEntry("session.optimized_model_external_initializers_file_name",
                           std::string(kSavedData).c_str());
    options.AddConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes",
                           kMinExternalBytes);
    if (wanted == ArtifactForm::kPrepacked) {
      options.AddConfigEntry("session.save_external_prepacked_constant_initializers", "1");
    }
    try {
      CreateSession(options);
    } catch (const Ort::Exception&) {
      ThrowNotSaved(CurrentExceptionAsError());
    }
  }

  // ONNX Runtime does not save packed weights of a model that has some already, so they go first.
  void CreateSession(Ort::SessionOptions& options) const {
    if (!source_is_packed_) {
      const Ort::Session saving(library_.env(), source_.c_str(), options);
      return;
    }
    const std::string unpacked = RewriteOnnx(MappedFile::Open(source_).bytes(),
                                             [](ExternalTensor& tensor) { tensor.packed.clear(); });
    const std::filesystem::path folder = std::filesystem::absolute(source_).parent_path();
    options.AddConfigEntry("session.model_external_initializers_file_folder_path", folder.c_str());
    const Ort::Session saving(library_.env(), unpacked.data(), unpacked.size(), options);
  }

  [[noreturn]] void ThrowNotSaved(const Error& error) const {
    const bool is_full = std::filesystem::space(output_).available < kFullDisk;
    throw Error(is_full ? ErrorCode::kResourceExhausted : ErrorCode::kFailedPrecondition,
                "cannot save the optimised model" +
                    std::string(is_full ? ", the disk is full: " : ": ") + error.what());
  }

  /// Gives the private memory that the artifact's session takes.
  std::uint64_t Verify() const {
    SessionOptions options = session_options_;
    options.optimised = target_ == PackTarget::kCpu;
    // So that AnonymousBytes tells what is in use.
    library_.ReleaseUnusedMemory();
    const std::uint64_t before = AnonymousBytes();
    Session session(library_, output_ / kArtifactModel, options);
    library_.ReleaseUnusedMemory();
    const std::uint64_t after = AnonymousBytes();
    if (const auto difference = FindDifference(session, expected_)) {
      throw Error(ErrorCode::kFailedPrecondition,
                  "the artifact does not answer as its source: " + *difference);
    }
    return after > before ? after - before : 0;
  }

  /// Of the runs that the source answered; 0 if there are none.
  double UnpackedSlowdown() const {
    if (expected_.empty()) return 0;
    SessionOptions options = session_options_;
    options.optimised = true;
    Session packed(library_, output_ / kArtifactModel, options);
    options.prepacking = false;
    Session unpacked(library_, output_ / kArtifactModel, options);
    const ProbeInputs& inputs = expected_.front().inputs;
    return FastestRun(unpacked, inputs) / FastestRun(packed, inputs);
  }

  void Describe(const ModelFiles& files, PackReport& report) const {
    report.weight_bytes = files.weight_bytes();
    report.artifact_bytes = files.model_bytes + report.data_file_bytes;
    if (files.external.empty()) {
      report.form = ArtifactForm::kInline;
      report.reason = "no weight has " + std::string(kMinExternalBytes) + " bytes";
    } else if (files.packed_bytes == 0) {
      report.form = ArtifactForm::kExternal;
      report.reason = target_ == PackTarget::kDevice
                          ? "a GPU takes weights as they are"
                          : "ONNX Runtime has no packed weights to save for this model";
    } else {
      report.form = ArtifactForm::kPrepacked;
    }
  }

  const OrtLibrary& library_;
  const std::filesystem::path source_;
  const std::filesystem::path output_;
  const PackTarget target_;
  const SessionOptions session_options_;
  bool source_is_packed_ = false;
  std::vector<ProbeAnswer> expected_;
};

}  // namespace

std::string_view ToString(ArtifactForm form) noexcept {
  switch (form) {
    case ArtifactForm::kPrepacked:
      return "prepacked";
    case ArtifactForm::kExternal:
      return "external";
    case ArtifactForm::kInline:
      return "inline";
  }
  return "inline";
}

PackReport PackArtifact(const OrtLibrary& library, const std::filesystem::path& source_model_path,
                        const std::filesystem::path& output_directory, const PackOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  const PeakMemory memory;
  PackReport report = Packer(library, source_model_path, output_directory, options).Pack();
  report.peak_memory_growth = memory.Growth();
  report.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return report;
}

}  // namespace warmswap
