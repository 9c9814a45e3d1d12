#include "core/cuda_options.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/error.h"
#include "support.h"

namespace warmswap::test {

TEST_CASE("the defaults for CUDA take no more memory than needed, and try nothing out") {
  CHECK(ToProviderOptions({}) == std::vector<ProviderOption>{
                                     {"device_id", "0"},
                                     {"arena_extend_strategy", "kSameAsRequested"},
                                     {"cudnn_conv_algo_search", "HEURISTIC"},
                                     {"use_tf32", "1"},
                                     {"enable_cuda_graph", "0"},
                                 });
}

TEST_CASE("every option for CUDA reaches ONNX Runtime") {
  const CudaOptions options{.device_id = 3,
                            .memory_limit = 1234,
                            .arena_extend = ArenaExtend::kNextPowerOfTwo,
                            .conv_algorithm_search = ConvAlgorithmSearch::kExhaustive,
                            .tf32 = false,
                            .graphs = true};
  CHECK(ToProviderOptions(options) == std::vector<ProviderOption>{
                                          {"device_id", "3"},
                                          {"arena_extend_strategy", "kNextPowerOfTwo"},
                                          {"cudnn_conv_algo_search", "EXHAUSTIVE"},
                                          {"use_tf32", "0"},
                                          {"enable_cuda_graph", "1"},
                                          {"gpu_mem_limit", "1234"},
                                      });
  const auto search = ToProviderOptions({.conv_algorithm_search = ConvAlgorithmSearch::kDefault});
  CHECK(search.at(2).value == "DEFAULT");
}

TEST_CASE("options for CUDA that cannot be are INVALID_ARGUMENT") {
  Validate(CudaOptions{});
  for (const CudaOptions& options : {CudaOptions{.device_id = -1}, CudaOptions{.memory_limit = 0},
                                     CudaOptions{.graphs = true, .shrink_arena = true}}) {
    CHECK(CodeName(ErrorOf([&] { Validate(options); })) == "INVALID_ARGUMENT");
  }
}

}  // namespace warmswap::test
