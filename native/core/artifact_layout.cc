#include "core/artifact_layout.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <utility>

#include "core/error.h"
#include "core/file_io.h"
#include "core/mapped_file.h"
#include "core/onnx_rewrite.h"

namespace warmswap {
namespace {

/// Copied, written to the disk and discarded one after the other: each takes the kernel a moment.
constexpr std::uint64_t kSectionBytes = std::uint64_t{1} << 20U;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 62U;

using BlobKey = std::pair<std::uint64_t, std::uint64_t>;
using NewOffsets = std::map<BlobKey, std::uint64_t>;

std::span<const std::byte> AsBytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

BlobKey KeyOf(const DataBlob& blob) { return {blob.offset, blob.length}; }

std::uint64_t Align(std::uint64_t offset, std::uint64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

class Planner {
 public:
  /// A blob that several tensors share is placed once.
  void Place(const DataBlob& blob) {
    if (!placed_.emplace(KeyOf(blob), layout_.size).second) return;
    const std::uint64_t to =
        Align(layout_.size, blob.length >= kLargeBlob ? kPageAlignment : kBlobAlignment);
    layout_.moves.push_back({blob, to});
    // Both are below 2^63, so their sum cannot wrap around.
    layout_.size = to + blob.length;
    if (layout_.size > kMaxSize) {
      throw Error(ErrorCode::kFailedPrecondition, "the weights do not fit into one file");
    }
  }

  void CheckDisjoint() const {
    std::uint64_t end = 0;
    for (const auto& [blob, unused] : placed_) {
      if (blob.first < end && blob.second > 0) {
        throw Error(ErrorCode::kFailedPrecondition,
                    "two weights overlap at byte " + std::to_string(blob.first));
      }
      end = std::max(end, blob.first + blob.second);
    }
  }

  ArtifactLayout TakeLayout() { return std::move(layout_); }

 private:
  NewOffsets placed_;
  ArtifactLayout layout_;
};

NewOffsets ToNewOffsets(const ArtifactLayout& layout) {
  NewOffsets offsets;
  for (const BlobMove& move : layout.moves) offsets.emplace(KeyOf(move.from), move.to);
  return offsets;
}

void Copy(const File& from, File& to, const BlobMove& move) {
  std::array<std::byte, kPieceBytes> buffer;
  for (std::uint64_t done = 0; done < move.from.length; done += buffer.size()) {
    const std::span<std::byte> part = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), move.from.length - done)));
    from.ReadAt(move.from.offset + done, part);
    to.WriteAt(move.to + done, part);
  }
}

void MoveBlob(File& from, File& to, const BlobMove& move) {
  for (std::uint64_t done = 0; done < move.from.length; done += kSectionBytes) {
    const std::uint64_t length = std::min(kSectionBytes, move.from.length - done);
    const BlobMove section{{move.from.offset + done, length}, move.to + done};
    Copy(from, to, section);
    to.StartWriting(section.to, length);
    // With the last one, so that the file system's block between them goes too.
    const std::uint64_t before = std::min(done, kSectionBytes);
    from.Discard(section.from.offset - before, before + length);
  }
}

void WriteData(const ArtifactLayout& layout, const std::filesystem::path& saved,
               const std::filesystem::path& target) {
  File from = File::OpenForUpdate(saved);
  File to = File::Create(target);
  to.Resize(layout.size);
  for (const BlobMove& move : layout.moves) MoveBlob(from, to, move);
  to.SyncToDisk();
}

void RequireSaved(const ExternalTensor& tensor, std::string_view location) {
  const bool is_sized = tensor.data.length == DeclaredBytes(tensor).value_or(tensor.data.length);
  if (tensor.location == location && is_sized) return;
  throw Error(ErrorCode::kFailedPrecondition, "ONNX Runtime left tensor '" +
                                                  Printable(tensor.name) + "' with " +
                                                  std::to_string(tensor.data.length) +
                                                  " bytes in '" + Printable(tensor.location) + "'");
}

// ONNX Runtime writes them in the order of a hash table.
void SortPacked(ExternalTensor& tensor) {
  std::ranges::sort(tensor.packed, {}, &PackedWeight::key);
}

/// The references of `tensor` to the saved data, moved into the file `location`.
void Redirect(ExternalTensor& tensor, std::string_view location, const NewOffsets& offsets) {
  tensor.location = location;
  tensor.data.offset = offsets.at(KeyOf(tensor.data));
  for (PackedWeight& packed : tensor.packed) {
    for (DataBlob& blob : packed.blobs) blob.offset = offsets.at(KeyOf(blob));
  }
  SortPacked(tensor);
}

}  // namespace

ArtifactLayout PlanLayout(const std::vector<ExternalTensor>& tensors) {
  Planner planner;
  for (const ExternalTensor& tensor : tensors) {
    if (tensor.packed.empty()) planner.Place(tensor.data);
    for (const PackedWeight& packed : tensor.packed) {
      for (const DataBlob& blob : packed.blobs) planner.Place(blob);
    }
  }
  for (const ExternalTensor& tensor : tensors) {
    if (!tensor.packed.empty()) planner.Place(tensor.data);
  }
  planner.CheckDisjoint();
  return planner.TakeLayout();
}

std::uint64_t WriteArtifactFiles(const std::filesystem::path& saved_model,
                                 const std::filesystem::path& saved_data,
                                 const std::filesystem::path& model,
                                 const std::filesystem::path& data) {
  const MappedFile saved = MappedFile::Open(saved_model);
  const std::string repaired = RewriteOnnx(saved.bytes());
  OnnxContents contents = ParseOnnx(AsBytes(repaired));
  if (contents.external.empty()) {
    WriteNewFile(model, AsBytes(repaired));
    return 0;
  }
  const std::string saved_location = saved_data.filename().string();
  for (ExternalTensor& tensor : contents.external) {
    RequireSaved(tensor, saved_location);
    SortPacked(tensor);
  }
  const ArtifactLayout layout = PlanLayout(contents.external);
  WriteData(layout, saved_data, data);
  const std::string location = data.filename().string();
  const NewOffsets offsets = ToNewOffsets(layout);
  const std::string redirected = RewriteOnnx(
      AsBytes(repaired), [&](ExternalTensor& tensor) { Redirect(tensor, location, offsets); });
  WriteNewFile(model, AsBytes(redirected));
  return layout.size;
}

}  // namespace warmswap
