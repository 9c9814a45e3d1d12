#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "core/device.h"

namespace warmswap {

/// What the loads of this process that run have set aside of a GPU's memory: they have not taken
/// all of it yet, so it still counts as free. Thread-safe.
class MemoryLedger {
 public:
  /// `device` is for messages.
  explicit MemoryLedger(std::string device) : device_(std::move(device)) {}

  /// Sets memory aside until the result goes, which may outlive the ledger. `measure_free` tells
  /// how much is free. Throws kResourceExhausted, with the numbers, if too little is.
  std::unique_ptr<DeviceReservation> Reserve(std::uint64_t bytes,
                                             const std::function<std::uint64_t()>& measure_free);

  std::uint64_t reserved_bytes() const;

 private:
  struct Account {
    std::mutex mutex;
    std::uint64_t reserved_bytes = 0;
  };
  class Reservation;

  const std::string device_;
  const std::shared_ptr<Account> account_ = std::make_shared<Account>();
};

}  // namespace warmswap
