#include "core/direct_runs.h"

namespace warmswap {

std::vector<Ort::Value> DirectRuns::Run(Ort::RunOptions& options,
                                        std::span<const Ort::Value> inputs,
                                        std::span<const std::size_t> outputs) {
  const auto& [session, input_specs, output_specs] = session_;
  std::vector<const char*> names;
  names.reserve(input_specs.size() + outputs.size());
  for (const TensorSpec& spec : input_specs) names.push_back(spec.name.c_str());
  for (const std::size_t index : outputs) names.push_back(output_specs.at(index).name.c_str());
  return session.Run(options, names.data(), inputs.data(), inputs.size(),
                     names.data() + input_specs.size(), outputs.size());
}

}  // namespace warmswap
