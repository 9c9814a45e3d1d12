#include "core/external_data.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/mapped_file.h"

namespace warmswap {
namespace {

// As many as Linux lets a process map, more or less.
constexpr std::size_t kMaxFiles = 65'536;
// A session without weights took 3 to 12 MB.
constexpr std::uint64_t kSessionBytes = std::uint64_t{16} << 20U;
// By what ONNX Runtime's optimiser adds, such as the operator sets that it knows.
constexpr std::uint64_t kGraphGrowth = 8192;
// Of a data file that is lost between blobs on pages of their own, at most
// (core/artifact_layout.h).
constexpr std::uint64_t kAlignmentShare = 16;

std::filesystem::path FolderOf(const std::filesystem::path& model_path) {
  return std::filesystem::canonical(std::filesystem::absolute(model_path).parent_path());
}

bool IsInside(const std::filesystem::path& folder, const std::filesystem::path& path) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

/// Blobs that overlap or touch become one.
std::vector<DataBlob> Merge(std::vector<DataBlob> blobs) {
  std::ranges::sort(blobs, {}, &DataBlob::offset);
  std::vector<DataBlob> merged;
  for (const DataBlob& blob : blobs) {
    if (merged.empty() || blob.offset > merged.back().offset + merged.back().length) {
      merged.push_back(blob);
    } else {
      DataBlob& last = merged.back();
      last.length = std::max(last.offset + last.length, blob.offset + blob.length) - last.offset;
    }
  }
  return merged;
}

class Checker {
 public:
  explicit Checker(const std::filesystem::path& model_path) : folder_(FolderOf(model_path)) {}

  void Check(const ExternalTensor& tensor) {
    ExternalFile& file = FileOf(tensor);
    const DataBlob data = CheckData(tensor, file);
    files_.external_bytes = Sum(tensor, files_.external_bytes, data.length);
    files_.largest_bytes = std::max(files_.largest_bytes, data.length);
    if (IsHalf(tensor.data_type)) files_.half_bytes += data.length;
    if (tensor.packed.empty()) file.used.push_back(data);
    for (const PackedWeight& packed : tensor.packed) CheckPacked(tensor, packed, file);
  }

  ModelFiles TakeFiles() {
    for (ExternalFile& file : files_.external) file.used = Merge(std::move(file.used));
    return std::move(files_);
  }

 private:
  [[noreturn]] static void Refuse(const ExternalTensor& tensor, const std::string& what) {
    throw Error(ErrorCode::kFailedPrecondition, "tensor '" + Printable(tensor.name) + "' " + what);
  }

  ExternalFile& FileOf(const ExternalTensor& tensor) {
    const auto known = by_location_.find(tensor.location);
    if (known != by_location_.end()) return files_.external[known->second];
    const std::filesystem::path path = Resolve(tensor);
    const auto [place, is_new] = by_path_.emplace(path.string(), files_.external.size());
    if (is_new) files_.external.push_back({path, std::filesystem::file_size(path), {}});
    if (files_.external.size() > kMaxFiles) {
      Refuse(tensor, "is in one file too many: a model can have " + std::to_string(kMaxFiles));
    }
    by_location_.emplace(tensor.location, place->second);
    return files_.external[place->second];
  }

  std::filesystem::path Resolve(const ExternalTensor& tensor) const {
    const std::string shown = "is in '" + Printable(tensor.location) + "', ";
    // Whoever opens the file would see the name end at a zero byte.
    if (tensor.location.find('\0') != std::string_view::npos) Refuse(tensor, shown + "no path");
    const std::filesystem::path location(tensor.location);
    if (location.is_absolute()) Refuse(tensor, shown + "an absolute path; expected a relative one");
    if (std::ranges::find(location, "..") != location.end()) {
      Refuse(tensor, shown + "a path with '..'; expected one inside the model's folder");
    }
    std::error_code error;
    std::filesystem::path path = std::filesystem::canonical(folder_ / location, error);
    if (error) Refuse(tensor, shown + "which cannot be opened: " + error.message());
    if (!IsInside(folder_, path)) {
      Refuse(tensor, shown + "a link that leads out of the model's folder, to " + path.string());
    }
    if (!std::filesystem::is_regular_file(path)) Refuse(tensor, shown + "which is no regular file");
    return path;
  }

  void CheckPacked(const ExternalTensor& tensor, const PackedWeight& packed, ExternalFile& file) {
    std::uint64_t bytes = 0;
    for (const DataBlob& blob : packed.blobs) {
      CheckInside(tensor, "packed blob", blob, file);
      bytes = Sum(tensor, bytes, blob.length);
      file.used.push_back(blob);
    }
    files_.packed_bytes = Sum(tensor, files_.packed_bytes, bytes);
    files_.largest_bytes = std::max(files_.largest_bytes, bytes);
  }

  static DataBlob CheckData(const ExternalTensor& tensor, const ExternalFile& file) {
    const std::optional<std::uint64_t> declared = DeclaredBytes(tensor);
    DataBlob data = tensor.data;
    if (data.length == 0) data.length = declared.value_or(0);
    if (declared && data.length != *declared) {
      Refuse(tensor, "has " + std::to_string(data.length) + " bytes of external data in " +
                         file.path.string() + ", its shape and datatype need " +
                         std::to_string(*declared));
    }
    CheckInside(tensor, "data", data, file);
    return data;
  }

  static void CheckInside(const ExternalTensor& tensor, const std::string& what,
                          const DataBlob& blob, const ExternalFile& file) {
    if (blob.length <= file.size && blob.offset <= file.size - blob.length) return;
    Refuse(tensor, what + " of " + std::to_string(blob.length) + " bytes at offset " +
                       std::to_string(blob.offset) + " does not fit into the " +
                       std::to_string(file.size) + " bytes of " + file.path.string());
  }

  static std::uint64_t Sum(const ExternalTensor& tensor, std::uint64_t sum, std::uint64_t length) {
    if (__builtin_add_overflow(sum, length, &sum)) Refuse(tensor, "makes the model too large");
    return sum;
  }

  const std::filesystem::path folder_;
  ModelFiles files_;
  // Two locations can name one file.
  std::unordered_map<std::string_view, std::size_t> by_location_;
  std::unordered_map<std::string, std::size_t> by_path_;
};

}  // namespace

ModelFiles CheckExternalData(const std::filesystem::path& model_path) {
  const MappedFile model = MappedFile::Open(model_path);
  try {
    const OnnxContents contents = ParseOnnx(model.bytes());
    Checker checker(model_path);
    for (const ExternalTensor& tensor : contents.external) checker.Check(tensor);
    ModelFiles files = checker.TakeFiles();
    files.model_bytes = model.bytes().size();
    files.inline_bytes = contents.inline_bytes;
    files.has_loops = contents.has_loops;
    files.half_bytes += contents.inline_half_bytes;
    files.largest_bytes = std::max(files.largest_bytes, contents.largest_inline_bytes);
    return files;
  } catch (const Error& error) {
    throw Error(error.code(), model_path.string() + ": " + error.what());
  }
}

std::uint64_t EstimateLoadBytes(const ModelFiles& files) noexcept {
  return kSessionBytes + 2 * files.computed_bytes();
}

std::uint64_t EstimateHostBytesForDevice(const ModelFiles& files) noexcept {
  return 2 * files.inline_bytes + files.largest_bytes;
}

std::uint64_t EstimateDeviceBytes(const ModelFiles& files) noexcept { return files.weight_bytes(); }

std::uint64_t EstimatePackBytes(const ModelFiles& files) noexcept {
  const std::uint64_t both_forms = 2 * files.computed_bytes();
  const std::uint64_t alignment = both_forms / kAlignmentShare;
  const std::uint64_t moved = files.largest_bytes * (files.half_bytes > 0 ? 2 : 1);
  const std::uint64_t graph = files.model_bytes - files.inline_bytes;
  return both_forms + alignment + moved + 2 * (graph + kGraphGrowth);
}

}  // namespace warmswap
