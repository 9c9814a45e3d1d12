#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "core/onnx_file.h"

namespace warmswap {

/// The same model with other references to external data: `edit` is called with every external
/// tensor, in the order of ParseOnnx, and what it leaves in location, data and packed is written;
/// the views that it puts there must live until this returns. Everything else stays as it is, byte
/// by byte, except that of several initializers of one name in a graph only the last stays: ONNX
/// Runtime 1.30 saves those of subgraphs twice, and does not load that.
/// Takes memory for twice the model file. Throws as ParseOnnx does.
std::string RewriteOnnx(
    std::span<const std::byte> model,
    const std::function<void(ExternalTensor&)>& edit = [](ExternalTensor&) {});

}  // namespace warmswap
