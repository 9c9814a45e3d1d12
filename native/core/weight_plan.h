#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/mapped_file.h"
#include "core/onnx_file.h"

namespace warmswap {

/// A weight of a model, and where it lies in a block of memory that holds all of them.
struct PlacedWeight {
  std::string name;
  std::int32_t data_type = 0;  ///< TensorProto.DataType
  std::vector<std::int64_t> dims;
  std::span<const std::byte> source;  ///< in a file that the plan has mapped
  std::uint64_t offset = 0;           ///< in the block
};

/// The weights of a model that can lie in one block, the same in every process that plans it: those
/// beside model.onnx, whose name no other one has. Keeps the model's files mapped.
class WeightPlan {
 public:
  /// Every weight starts at a multiple of this, as those that CUDA's own allocations hold.
  static constexpr std::uint64_t kAlignment = 256;

  /// What it takes to copy weights of any size.
  static constexpr std::size_t kPieceBytes = std::size_t{16} << 20U;

  /// Throws as CheckExternalData and MappedFile::Open do.
  explicit WeightPlan(const std::filesystem::path& model_path);

  /// Ascending in `offset`.
  const std::vector<PlacedWeight>& weights() const noexcept { return weights_; }
  /// Of the block.
  std::uint64_t size() const noexcept { return size_; }

  /// Calls `use(bytes, offset)` for all weights, in pieces of at most kPieceBytes.
  template <typename Use>
  void ForEachPiece(Use use) const {
    for (const auto& [name, type, dims, source, offset] : weights_) {
      for (std::size_t done = 0; done < source.size(); done += kPieceBytes) {
        use(source.subspan(done, std::min(kPieceBytes, source.size() - done)), offset + done);
      }
    }
  }

 private:
  void Place(const ExternalTensor& tensor, const MappedFile& file);

  std::vector<MappedFile> files_;
  std::vector<PlacedWeight> weights_;
  std::uint64_t size_ = 0;
};

}  // namespace warmswap
