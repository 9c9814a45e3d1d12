#pragma once

#include <cstddef>
#include <memory>

#include "gpu/primary_context.h"

namespace warmswap {

/// Memory of the host that stays where it is, so that a GPU reads and writes it by itself.
class PinnedBlock {
 public:
  /// Throws what the driver reports. Takes milliseconds.
  PinnedBlock(std::shared_ptr<const PrimaryContext> context, std::size_t bytes);
  PinnedBlock(const PinnedBlock&) = delete;
  PinnedBlock& operator=(const PinnedBlock&) = delete;
  ~PinnedBlock();

  /// Aligned to a page.
  void* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  const std::shared_ptr<const PrimaryContext> context_;
  const std::size_t size_;
  void* data_ = nullptr;
};

}  // namespace warmswap
