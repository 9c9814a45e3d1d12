#include "core/weight_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "core/external_data.h"

namespace warmswap {
namespace {

using Counts = std::map<std::string_view, std::size_t>;

Counts CountNames(const std::vector<ExternalTensor>& tensors) {
  Counts counts;
  for (const ExternalTensor& tensor : tensors) ++counts[tensor.name];
  return counts;
}

/// ONNX Runtime is told of a weight by its name alone, which parts of a graph may use again.
bool IsNamed(const ExternalTensor& tensor, const Counts& counts) {
  return !tensor.name.empty() && counts.at(tensor.name) == 1;
}

}  // namespace

WeightPlan::WeightPlan(const std::filesystem::path& model_path) {
  CheckExternalData(model_path);
  const MappedFile model = MappedFile::Open(model_path);
  const OnnxContents contents = ParseOnnx(model.bytes());
  const Counts counts = CountNames(contents.external);
  std::map<std::string_view, std::size_t> files;
  for (const ExternalTensor& tensor : contents.external) {
    if (!IsNamed(tensor, counts) || DeclaredBytes(tensor).value_or(0) == 0) continue;
    const auto [known, is_new] = files.emplace(tensor.location, files_.size());
    if (is_new) {
      const std::filesystem::path path = model_path.parent_path() / tensor.location;
      files_.push_back({MappedFile::Open(path), File::OpenForReading(path)});
    }
    Place(tensor, known->second);
  }
}

void WeightPlan::Place(const ExternalTensor& tensor, std::size_t file) {
  const std::uint64_t length = DeclaredBytes(tensor).value();
  const std::uint64_t offset = (size_ + kAlignment - 1) / kAlignment * kAlignment;
  weights_.push_back({std::string(tensor.name), tensor.data_type, tensor.dims,
                      files_[file].mapped.bytes().subspan(tensor.data.offset, length), file,
                      tensor.data.offset, offset});
  size_ = offset + length;
}

std::vector<WeightPiece> WeightPlan::Pieces() const {
  std::vector<WeightPiece> pieces;
  for (const PlacedWeight& weight : weights_) {
    const std::size_t size = weight.source.size();
    for (std::size_t done = 0; done < size; done += kPieceBytes) {
      pieces.push_back({weight.source.subspan(done, std::min(kPieceBytes, size - done)),
                        weight.file, weight.file_offset + done, weight.offset + done});
    }
  }
  return pieces;
}

void WeightPlan::Read(const WeightPiece& piece, std::byte* to) const {
  files_[piece.file].file.ReadAt(piece.file_offset, {to, piece.source.size()});
}

}  // namespace warmswap
