#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace warmswap {

/// How ONNX Runtime's memory for runs grows on a GPU.
enum class ArenaExtend : std::uint8_t { kSameAsRequested, kNextPowerOfTwo };

/// How cuDNN's algorithms for convolutions are chosen: by rule, always the same one, or by trying
/// all.
enum class ConvAlgorithmSearch : std::uint8_t { kHeuristic, kDefault, kExhaustive };

/// What brings weights to a GPU: ONNX Runtime, one after another from pageable memory, or
/// LoadDirect, by several threads through pinned memory.
enum class WeightLoader : std::uint8_t { kOnnxRuntime, kDirect };

/// Options of ONNX Runtime's CUDA provider for one session. The defaults suit serving: first runs
/// do not try out algorithms, and no more memory is taken than runs need.
struct CudaOptions {
  int device_id = 0;  ///< as CUDA counts GPUs in this process
  /// Bytes of the GPU's memory for what runs take, weights aside; none: all there is.
  std::optional<std::uint64_t> memory_limit = std::nullopt;
  ArenaExtend arena_extend = ArenaExtend::kSameAsRequested;
  ConvAlgorithmSearch conv_algorithm_search = ConvAlgorithmSearch::kHeuristic;
  bool tf32 = true;     ///< compute FP32 with TensorFloat-32
  bool graphs = false;  ///< see GraphRuns
  /// Runs are bound: outputs go straight to pinned memory; see BoundRuns. Off for measurements.
  bool binding = true;
  WeightLoader loader = WeightLoader::kOnnxRuntime;
  /// Every run gives back what it took of the GPU's memory.
  bool shrink_arena = false;
};

/// Throws kInvalidArgument naming the option that cannot be, or that excludes another.
void Validate(const CudaOptions& options);

struct ProviderOption {
  std::string key;
  std::string value;
  bool operator==(const ProviderOption&) const = default;
};

/// As OrtApi::UpdateCUDAProviderOptions takes them.
std::vector<ProviderOption> ToProviderOptions(const CudaOptions& options);

}  // namespace warmswap
