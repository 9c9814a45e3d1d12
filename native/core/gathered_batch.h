#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/memory_pool.h"
#include "core/ort.h"
#include "core/pooled_buffer.h"
#include "core/request.h"
#include "core/tensor.h"

namespace warmswap {

/// A request whose inputs are still where they came. Borrows all of it.
struct IncomingRequest {
  std::uint64_t ticket;
  std::uint32_t msgid;
  const std::shared_ptr<const AnswerFormat>& format;
  std::span<TensorView* const> inputs;   ///< validated, none of kBytes, in the model's order
  std::span<const std::size_t> outputs;  ///< indices
  Clock::time_point queued_at;
  Clock::time_point deadline;
};

/// Requests that run together, or a single one. Their inputs lie behind one another, where they are
/// run: each is copied once. Memory is kept for the next batch. Not thread-safe.
class GatheredBatch {
 public:
  struct Member {
    std::uint64_t ticket;
    std::uint32_t msgid;
    std::size_t format;  ///< index in `formats`
    std::size_t rows;    ///< first dimension of its first input, 1 for a scalar, 0 without inputs
    Clock::time_point queued_at;
    Clock::time_point deadline;
  };

  /// The pool must outlive it.
  explicit GatheredBatch(MemoryPool& pool) : pool_(&pool) {}

  /// Copies the inputs; false where the request cannot join those that are there, because its
  /// inputs have other shapes, it wants other outputs, or there would be more than `max_rows`.
  bool Add(const IncomingRequest& request, std::size_t max_rows);

  /// Takes out those whose deadline is not after `now`, and tells of each.
  void DropLate(Clock::time_point now, const std::function<void(const Member&)>& on_late);

  /// A batch of its own of one member.
  GatheredBatch Alone(std::size_t member) const;

  /// Ready for another first request. Keeps at most kMaxKeptBytes.
  void Clear() noexcept;

  bool empty() const noexcept { return members_.empty(); }
  std::span<const Member> members() const noexcept { return members_; }
  const std::vector<std::shared_ptr<const AnswerFormat>>& formats() const noexcept {
    return formats_;
  }
  std::span<const std::size_t> outputs() const noexcept { return outputs_; }
  std::size_t rows() const noexcept { return rows_; }
  /// Of all inputs of all members.
  std::size_t byte_size() const noexcept;

  /// Of all inputs of the first member.
  std::size_t first_byte_size() const noexcept;

  /// Puts where the inputs lie into `data`, and their shapes, each behind its rank, into `shapes`.
  void Describe(std::vector<const std::byte*>& data, std::vector<std::int64_t>& shapes) const;

  /// Views on the inputs, valid until the batch changes.
  std::vector<Ort::Value> ToOrtValues() const;

  static constexpr std::size_t kMaxKeptBytes = std::size_t{256} << 10U;

 private:
  struct Input {
    DataType type = DataType::kFp32;
    std::vector<std::int64_t> shape;  // of the first member
    PooledBuffer memory;
    std::size_t size = 0;  // of what is in it, in bytes
  };

  void Begin(const IncomingRequest& request);
  bool MayJoin(const IncomingRequest& request, std::size_t max_rows) const;
  void Reserve(Input& input, std::size_t bytes);
  static void Append(Input& input, std::span<const std::byte> data) noexcept;
  void MoveRows(const Member& member, std::size_t from, std::size_t to) noexcept;
  std::size_t IndexOf(const std::shared_ptr<const AnswerFormat>& format);

  MemoryPool* pool_;
  std::vector<Input> inputs_;
  std::vector<std::size_t> outputs_;
  std::vector<Member> members_;
  std::vector<std::shared_ptr<const AnswerFormat>> formats_;
  bool can_join_ = false;  // all inputs have as many rows, and at least one
  std::size_t rows_ = 0;
  Clock::time_point earliest_deadline_ = Clock::time_point::max();
};

}  // namespace warmswap
