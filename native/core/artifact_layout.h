#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/onnx_file.h"

namespace warmswap {

/// Every blob of an artifact's data file starts at a multiple of this, so that kernels can read
/// packed weights with aligned loads of any width.
inline constexpr std::uint64_t kBlobAlignment = 64;
/// Blobs of at least kLargeBlob start on a page of their own.
inline constexpr std::uint64_t kPageAlignment = 4096;
inline constexpr std::uint64_t kLargeBlob = std::uint64_t{64} * 1024;

struct BlobMove {
  DataBlob from;
  std::uint64_t to = 0;
};

struct ArtifactLayout {
  std::vector<BlobMove> moves;  ///< ascending in `to`
  std::uint64_t size = 0;       ///< of the data file
};

/// Where the blobs of a model that ONNX Runtime saved go. What a session reads while it runs comes
/// first, then the weights that have a packed form, which are read only on loading. The order is
/// that of the model, so equal models get equal layouts. Throws kFailedPrecondition for blobs that
/// overlap.
ArtifactLayout PlanLayout(const std::vector<ExternalTensor>& tensors);

/// Writes the model at `saved_model`, all of whose external data must be in `saved_data`, anew as
/// `model` and `data`, laid out by PlanLayout and synced to disk. `saved_data` is used up on the
/// way, so that one copy is on the disk at a time. Gives the size of `data`, which is not written
/// if no tensor is external. Throws kFailedPrecondition if a tensor is in another file.
std::uint64_t WriteArtifactFiles(const std::filesystem::path& saved_model,
                                 const std::filesystem::path& saved_data,
                                 const std::filesystem::path& model,
                                 const std::filesystem::path& data);

}  // namespace warmswap
