#include "core/cuda_options.h"

#include "core/error.h"

namespace warmswap {
namespace {

std::string ToProviderValue(ArenaExtend extend) {
  return extend == ArenaExtend::kNextPowerOfTwo ? "kNextPowerOfTwo" : "kSameAsRequested";
}

std::string ToProviderValue(ConvAlgorithmSearch search) {
  switch (search) {
    case ConvAlgorithmSearch::kDefault:
      return "DEFAULT";
    case ConvAlgorithmSearch::kExhaustive:
      return "EXHAUSTIVE";
    default:
      return "HEURISTIC";
  }
}

std::string ToProviderValue(bool flag) { return flag ? "1" : "0"; }

void Require(bool condition, const std::string& what) {
  if (!condition) throw Error(ErrorCode::kInvalidArgument, "cuda: " + what);
}

}  // namespace

// A graph is replayed on the memory that its recording took, which must not be given back.
void Validate(const CudaOptions& options) {
  Require(options.device_id >= 0,
          "the number of a GPU must be 0 or more, not " + std::to_string(options.device_id));
  Require(options.memory_limit != 0, "the limit of memory must be above 0");
  Require(!(options.graphs && options.shrink_arena), "graphs and shrinkArena exclude each other");
  Require(!options.graphs || options.binding, "graphs want binding");
}

std::vector<ProviderOption> ToProviderOptions(const CudaOptions& options) {
  std::vector<ProviderOption> provider{
      {"device_id", std::to_string(options.device_id)},
      {"arena_extend_strategy", ToProviderValue(options.arena_extend)},
      {"cudnn_conv_algo_search", ToProviderValue(options.conv_algorithm_search)},
      {"use_tf32", ToProviderValue(options.tf32)},
      {"enable_cuda_graph", ToProviderValue(options.graphs)},
  };
  if (options.memory_limit) {
    provider.push_back({"gpu_mem_limit", std::to_string(*options.memory_limit)});
  }
  return provider;
}

}  // namespace warmswap
