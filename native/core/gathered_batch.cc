#include "core/gathered_batch.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/input_tensor.h"

namespace warmswap {
namespace {

std::size_t RowsOf(std::span<TensorView* const> inputs) noexcept {
  if (inputs.empty()) return 0;
  const std::vector<std::int64_t>& shape = inputs.front()->shape;
  return shape.empty() ? 1 : static_cast<std::size_t>(shape.front());
}

bool HaveRows(std::span<TensorView* const> inputs, std::size_t rows) noexcept {
  return rows > 0 && std::ranges::all_of(inputs, [rows](const TensorView* input) {
           return !input->shape.empty() && input->shape.front() == static_cast<std::int64_t>(rows);
         });
}

bool AreAlikeButForRows(std::span<const std::int64_t> a, std::span<const std::int64_t> b) noexcept {
  return a.size() == b.size() && std::ranges::equal(a.subspan(1), b.subspan(1));
}

}  // namespace

bool GatheredBatch::Add(const IncomingRequest& request, std::size_t max_rows) {
  if (empty()) {
    Begin(request);
  } else if (!MayJoin(request, max_rows)) {
    return false;
  }
  const std::size_t rows = RowsOf(request.inputs);
  // What may throw comes before the inputs: they and the members must agree.
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    Reserve(inputs_[i], request.inputs[i]->data.size());
  }
  members_.push_back({request.ticket, request.msgid, IndexOf(request.format), rows,
                      request.queued_at, request.deadline});
  for (std::size_t i = 0; i < inputs_.size(); ++i) Append(inputs_[i], request.inputs[i]->data);
  rows_ += rows;
  earliest_deadline_ = std::min(earliest_deadline_, request.deadline);
  return true;
}

void GatheredBatch::Begin(const IncomingRequest& request) {
  inputs_.resize(request.inputs.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    inputs_[i].type = request.inputs[i]->type;
    inputs_[i].shape = request.inputs[i]->shape;
  }
  outputs_.assign(request.outputs.begin(), request.outputs.end());
  can_join_ = HaveRows(request.inputs, RowsOf(request.inputs));
}

bool GatheredBatch::MayJoin(const IncomingRequest& request, std::size_t max_rows) const {
  const std::size_t rows = RowsOf(request.inputs);
  if (!can_join_ || rows_ + rows > max_rows || !HaveRows(request.inputs, rows)) return false;
  if (!std::ranges::equal(request.outputs, outputs_)) return false;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!AreAlikeButForRows(request.inputs[i]->shape, inputs_[i].shape)) return false;
  }
  return true;
}

void GatheredBatch::Reserve(Input& input, std::size_t bytes) {
  const std::size_t needed = input.size + bytes;
  if (input.memory.data() != nullptr && needed <= input.memory.size()) return;
  PooledBuffer larger(*pool_, std::max(needed, 2 * input.memory.size()));
  if (input.size > 0) std::memcpy(larger.data(), input.memory.data(), input.size);
  input.memory = std::move(larger);
}

void GatheredBatch::Append(Input& input, std::span<const std::byte> data) noexcept {
  if (!data.empty()) std::memcpy(input.memory.data() + input.size, data.data(), data.size());
  input.size += data.size();
}

std::size_t GatheredBatch::IndexOf(const std::shared_ptr<const AnswerFormat>& format) {
  if (formats_.empty() || formats_.back() != format) formats_.push_back(format);
  return formats_.size() - 1;
}

void GatheredBatch::DropLate(Clock::time_point now,
                             const std::function<void(const Member&)>& on_late) {
  if (now < earliest_deadline_) return;
  std::vector<Member> kept;
  std::size_t row = 0;
  std::size_t kept_rows = 0;
  for (const Member& member : members_) {
    if (now >= member.deadline) {
      on_late(member);
    } else {
      MoveRows(member, row, kept_rows);
      kept_rows += member.rows;
      kept.push_back(member);
    }
    row += member.rows;
  }
  for (Input& input : inputs_) {
    if (rows_ > 0) input.size = input.size / rows_ * kept_rows;
  }
  rows_ = kept_rows;
  members_ = std::move(kept);
  earliest_deadline_ = Clock::time_point::max();
}

void GatheredBatch::MoveRows(const Member& member, std::size_t from, std::size_t to) noexcept {
  if (from == to) return;
  for (Input& input : inputs_) {
    const std::size_t row_bytes = input.size / rows_;
    std::byte* data = input.memory.data();
    std::memmove(data + to * row_bytes, data + from * row_bytes, member.rows * row_bytes);
  }
}

GatheredBatch GatheredBatch::Alone(std::size_t member) const {
  const auto before = members_.begin() + static_cast<std::ptrdiff_t>(member);
  const auto add = [](std::size_t sum, const Member& other) { return sum + other.rows; };
  const std::size_t row = std::accumulate(members_.begin(), before, std::size_t{0}, add);
  GatheredBatch alone(*pool_);
  for (const Input& input : inputs_) {
    Input& own = alone.inputs_.emplace_back(Input{input.type, input.shape, {}, 0});
    if (can_join_) own.shape.front() = static_cast<std::int64_t>(before->rows);
    const std::size_t row_bytes = input.size / std::max(rows_, std::size_t{1});
    const std::span all(input.memory.data(), input.size);
    const std::span its = can_join_ ? all.subspan(row * row_bytes, before->rows * row_bytes) : all;
    alone.Reserve(own, its.size());
    alone.Append(own, its);
  }
  alone.outputs_ = outputs_;
  alone.members_ = {*before};
  alone.formats_ = formats_;
  alone.can_join_ = can_join_;
  alone.rows_ = before->rows;
  alone.earliest_deadline_ = before->deadline;
  return alone;
}

void GatheredBatch::Clear() noexcept {
  std::size_t kept_bytes = 0;
  for (Input& input : inputs_) {
    input.size = 0;
    kept_bytes += input.memory.size();
    if (kept_bytes > kMaxKeptBytes) input.memory = PooledBuffer();
  }
  members_.clear();
  formats_.clear();
  rows_ = 0;
  earliest_deadline_ = Clock::time_point::max();
}

std::size_t GatheredBatch::byte_size() const noexcept {
  const auto add = [](std::size_t sum, const Input& input) { return sum + input.size; };
  return std::accumulate(inputs_.begin(), inputs_.end(), std::size_t{0}, add);
}

std::size_t GatheredBatch::first_byte_size() const noexcept {
  return members_.size() == 1 ? byte_size() : byte_size() / rows_ * members_.front().rows;
}

void GatheredBatch::Describe(std::vector<const std::byte*>& data,
                             std::vector<std::int64_t>& shapes) const {
  data.clear();
  shapes.clear();
  for (const Input& input : inputs_) {
    data.push_back(input.memory.data());
    shapes.push_back(static_cast<std::int64_t>(input.shape.size()));
    const std::size_t first = shapes.size();
    shapes.insert(shapes.end(), input.shape.begin(), input.shape.end());
    if (can_join_) shapes[first] = static_cast<std::int64_t>(rows_);
  }
}

std::vector<Ort::Value> GatheredBatch::ToOrtValues() const {
  std::vector<Ort::Value> values;
  values.reserve(inputs_.size());
  for (const Input& input : inputs_) {
    std::vector<std::int64_t> shape = input.shape;
    if (can_join_) shape.front() = static_cast<std::int64_t>(rows_);
    values.push_back(Ort::Value::CreateTensor(HostMemoryInfo(), input.memory.data(), input.size,
                                              shape.data(), shape.size(), ToOrt(input.type)));
  }
  return values;
}

}  // namespace warmswap
