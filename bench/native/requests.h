#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/input_tensor.h"
#include "core/memory_pool.h"
#include "core/request.h"
#include "models.h"

namespace warmswap::bench {

/// Values for x: `rows` rows over -1..1.
InputTensor MakeInput(const ModelName& model, std::size_t rows, MemoryPool& pool);

/// An inference of `rows` rows that asks for y, ready to be batched.
Request MakeRequest(const ModelName& model, std::size_t rows, std::uint64_t ticket,
                    MemoryPool& pool);

/// The same as it comes off the wire, for the active version.
std::vector<std::byte> MakeFrame(const ModelName& model, std::size_t rows);

}  // namespace warmswap::bench
