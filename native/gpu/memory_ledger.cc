#include "gpu/memory_ledger.h"

#include <algorithm>
#include <utility>

#include "core/memory_shortage.h"

namespace warmswap {

class MemoryLedger::Reservation final : public DeviceReservation {
 public:
  /// Of what the account is charged with.
  Reservation(std::shared_ptr<Account> account, std::uint64_t bytes)
      : account_(std::move(account)), bytes_(bytes) {}
  ~Reservation() override {
    const std::lock_guard lock(account_->mutex);
    account_->reserved_bytes -= bytes_;
  }

 private:
  const std::shared_ptr<Account> account_;
  const std::uint64_t bytes_;
};

std::unique_ptr<DeviceReservation> MemoryLedger::Reserve(
    std::uint64_t bytes, const std::function<std::uint64_t()>& measure_free) {
  const std::lock_guard lock(account_->mutex);
  const std::uint64_t free = measure_free();
  const std::uint64_t available = free - std::min(free, account_->reserved_bytes);
  if (bytes > available) throw TooLittleMemory({bytes, available, device_});
  auto reservation = std::make_unique<Reservation>(account_, bytes);
  account_->reserved_bytes += bytes;
  return reservation;
}

std::uint64_t MemoryLedger::reserved_bytes() const {
  const std::lock_guard lock(account_->mutex);
  return account_->reserved_bytes;
}

}  // namespace warmswap
