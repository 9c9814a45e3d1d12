#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/file_io.h"
#include "core/mapped_file.h"
#include "core/onnx_file.h"

namespace warmswap {

/// A weight of a model, and where it lies in a block of memory that holds all of them.
struct PlacedWeight {
  std::string name;
  std::int32_t data_type = 0;  ///< TensorProto.DataType
  std::vector<std::int64_t> dims;
  std::span<const std::byte> source;  ///< in a file that the plan has mapped
  std::size_t file = 0;               ///< which of the plan's files that is
  std::uint64_t file_offset = 0;
  std::uint64_t offset = 0;  ///< in the block
};

/// A part of a weight that is copied at once.
struct WeightPiece {
  std::span<const std::byte> source;  ///< in a file that the plan has mapped
  std::size_t file = 0;               ///< which of the plan's files that is
  std::uint64_t file_offset = 0;
  std::uint64_t offset = 0;  ///< in the block
};

/// The weights of a model that can lie in one block, the same in every process that plans it: those
/// beside model.onnx, whose name no other one has. Keeps the model's files mapped and open.
class WeightPlan {
 public:
  /// Every weight starts at a multiple of this, as those that CUDA's own allocations hold.
  static constexpr std::uint64_t kAlignment = 256;

  /// What it takes to copy weights of any size. (Reading pieces of 16 MiB by two threads took half
  /// as long again.)
  static constexpr std::size_t kPieceBytes = std::size_t{4} << 20U;

  /// Throws as CheckExternalData and MappedFile::Open do.
  explicit WeightPlan(const std::filesystem::path& model_path);

  /// Ascending in `offset`.
  const std::vector<PlacedWeight>& weights() const noexcept { return weights_; }
  /// Of the block.
  std::uint64_t size() const noexcept { return size_; }

  /// All of the weights, in pieces of at most kPieceBytes, ascending in `offset`.
  std::vector<WeightPiece> Pieces() const;
  /// Reads a piece from its file, whose pages need not be mapped for that. Throws as File::ReadAt.
  /// From any number of threads.
  void Read(const WeightPiece& piece, std::byte* to) const;

 private:
  struct Source {
    MappedFile mapped;
    File file;
  };

  void Place(const ExternalTensor& tensor, std::size_t file);

  std::vector<Source> files_;
  std::vector<PlacedWeight> weights_;
  std::uint64_t size_ = 0;
};

}  // namespace warmswap
