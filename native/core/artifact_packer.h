#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/ort_library.h"

namespace warmswap {

/// The names of an artifact's files.
inline constexpr std::string_view kArtifactModel = "model.onnx";
inline constexpr std::string_view kArtifactData = "weights.bin";

enum class ArtifactForm : std::uint8_t {
  kPrepacked,  ///< weights and their packed forms in the data file: all of it is shared
  kExternal,   ///< weights in the data file; each process packs what its kernels pack
  kInline,     ///< no weight is worth a data file
};

/// "prepacked", "external" or "inline".
std::string_view ToString(ArtifactForm form) noexcept;

/// What an artifact is to run on.
enum class PackTarget : std::uint8_t {
  kCpu,     ///< this processor: optimised for it, and loaded with SessionOptions::optimised
  kDevice,  ///< a GPU: optimised as far as that is the same everywhere; the rest when it is loaded
};

struct PackOptions {
  /// Of the sessions that make and verify the artifact; it is the same for any number of them, and
  /// may be loaded with any other.
  int intra_op_threads = 1;
  PackTarget target = PackTarget::kCpu;
};

struct PackReport {
  ArtifactForm form = ArtifactForm::kInline;
  std::string reason;                 ///< why it is not kPrepacked; else ""
  bool verified = false;              ///< false: the model takes none of the generated inputs
  std::uint64_t source_bytes = 0;     ///< of the source's files
  std::uint64_t artifact_bytes = 0;   ///< of the artifact's files
  std::uint64_t data_file_bytes = 0;  ///< of kArtifactData alone; 0 if there is none
  std::uint64_t weight_bytes = 0;     ///< of the artifact's weights, packed forms not counted
  /// Of memory that a session of it took for itself; for a device, whose host's was not measured,
  /// 0.
  std::uint64_t private_bytes = 0;
  /// The same, and one weight at a time while it loads; for a device EstimateHostBytesForDevice.
  std::uint64_t load_bytes = 0;
  /// By which factor a run takes longer without prepacking; 0 where that was not measured.
  double unpacked_slowdown = 0;
  std::uint64_t peak_memory_growth = 0;  ///< of this process while packing, pages of files included
  double seconds = 0;
};

/// Makes what workers serve from a model: optimised for this CPU and ONNX Runtime, its weights and
/// what kernels make of them in one aligned file that all processes share. Writes kArtifactModel
/// and kArtifactData into `output_directory`, which it creates, and syncs them to disk. They take
/// up to EstimatePackBytes there for a moment. (Twice that where files cannot have holes.)
///
/// The artifact has been loaded as a worker loads it, but on the processor, and answers as the
/// source does to generated inputs. If it does not with saved packed weights it is made without
/// them, and the report says why. Throws kNotFound, kFailedPrecondition or kUnimplemented for a
/// model that cannot be served, kFailedPrecondition if the directory holds an artifact, and
/// kResourceExhausted, with the numbers, for a disk that is full or would be; then it leaves
/// nothing in the directory.
///
/// Blocks for seconds a gigabyte. Its own memory does not grow with the model; ONNX Runtime takes
/// what loading the source takes.
PackReport PackArtifact(const OrtLibrary& library, const std::filesystem::path& source_model_path,
                        const std::filesystem::path& output_directory, const PackOptions& options);

}  // namespace warmswap
