#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/onnx_file.h"

namespace warmswap {

/// One external data file of a model.
struct ExternalFile {
  std::filesystem::path path;  ///< canonical
  std::uint64_t size = 0;
  /// What a session reads while it runs, ascending and disjoint: the packed form of a weight that
  /// has one, and the weight itself of all others.
  std::vector<DataBlob> used;
};

/// What a model consists of.
struct ModelFiles {
  std::vector<ExternalFile> external;
  std::uint64_t model_bytes = 0;     ///< of model.onnx
  std::uint64_t inline_bytes = 0;    ///< of the weights in it
  std::uint64_t external_bytes = 0;  ///< of the weights beside it, packed forms not counted
  std::uint64_t half_bytes = 0;      ///< of the weights, wherever they are, for which IsHalf holds
  std::uint64_t packed_bytes = 0;    ///< of the packed forms
  bool has_loops = false;            ///< see OnnxContents
  std::uint64_t largest_bytes = 0;   ///< of the largest weight or packed form

  std::uint64_t weight_bytes() const noexcept { return inline_bytes + external_bytes; }
  /// The weights as a CPU computes with them: half of FLOAT becomes FLOAT.
  std::uint64_t computed_bytes() const noexcept { return weight_bytes() + half_bytes; }
};

/// Reads model.onnx and makes sure that every reference to external data holds: the location is
/// relative, names a regular file inside the model's folder, links followed, and offset and length
/// lie inside that file and agree with the tensor's shape. Throws kNotFound if there is no
/// model.onnx, and kFailedPrecondition naming the tensor, the file and the numbers otherwise.
ModelFiles CheckExternalData(const std::filesystem::path& model_path);

/// About what loading a model that is no artifact takes of private memory, at most: twice its
/// weights, since ONNX Runtime copies what is inline and packs what it can.
/// (An artifact's report tells: PackReport::load_bytes.)
std::uint64_t EstimateLoadBytes(const ModelFiles& files) noexcept;

/// The same for a model that runs on a GPU, whose weights are copied there one after the other:
/// what is inline is held twice for a moment.
std::uint64_t EstimateHostBytesForDevice(const ModelFiles& files) noexcept;

/// About what such a model takes of the GPU's memory before its first run: its weights.
std::uint64_t EstimateDeviceBytes(const ModelFiles& files) noexcept;

/// What PackArtifact takes on the disk for a moment, at most, where files can have holes: the
/// weights as this CPU computes with them, their packed forms, the one that is being moved, and the
/// rest of the model twice.
std::uint64_t EstimatePackBytes(const ModelFiles& files) noexcept;

}  // namespace warmswap
