#include "core/weight_plan.h"

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
    if (is_new) files_.push_back(MappedFile::Open(model_path.parent_path() / tensor.location));
    Place(tensor, files_[known->second]);
  }
}

void WeightPlan::Place(const ExternalTensor& tensor, const MappedFile& file) {
  const std::uint64_t length = DeclaredBytes(tensor).value();
  const std::uint64_t offset = (size_ + kAlignment - 1) / kAlignment * kAlignment;
  weights_.push_back({std::string(tensor.name), tensor.data_type, tensor.dims,
                      file.bytes().subspan(tensor.data.offset, length), offset});
  size_ = offset + length;
}

}  // namespace warmswap
