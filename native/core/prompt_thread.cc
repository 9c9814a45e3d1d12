#include "core/prompt_thread.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <ctime>
#include <thread>

#include "core/thread_priority.h"

namespace warmswap {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kMostCredit = std::chrono::milliseconds(10);
/// So that a thread that takes its share does not change at every tick.
constexpr nanoseconds kCreditToBecomePrompt = kMostCredit / 4;
constexpr nanoseconds kShortRun = std::chrono::milliseconds(1);
constexpr int kShortRunsFirst = 8;

std::atomic<bool> are_allowed = false;
std::array<std::atomic<int>, 2> spin_waits{};  // by role

std::atomic<int>& SpinWaitsOf(PromptThread::Role role) noexcept {
  return spin_waits[static_cast<std::size_t>(role)];
}

bool MayWaitSpinning(PromptThread::Role role) noexcept {
  return SpinWaitsOf(role).load(std::memory_order_relaxed) > 0;
}

nanoseconds Read(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

/// Takes a few nanoseconds, and goes forward at the system's ticks only.
nanoseconds CoarseNow() noexcept { return Read(CLOCK_MONOTONIC_COARSE); }

nanoseconds CpuTimeOfThisThread() noexcept { return Read(CLOCK_THREAD_CPUTIME_ID); }

constexpr int RealTimePriorityOf(PromptThread::Role role) noexcept {
  return role == PromptThread::Role::kEventLoop ? 2 : 1;
}

constexpr int OneInCoresOf(PromptThread::Role role) noexcept {
  return role == PromptThread::Role::kEventLoop ? 2 : 4;
}

}  // namespace

PromptThread::PromptThread(Role role) noexcept
    : role_(role),
      credit_(kMostCredit),
      updated_at_(CoarseNow()),
      cpu_time_(CpuTimeOfThisThread()) {}

void PromptThread::UpdatePriority() noexcept {
  if (!are_allowed.load(std::memory_order_relaxed)) {
    if (is_prompt_) SetPrompt(false);
    return;
  }
  if (is_prompt_ && MayWaitSpinning(role_)) SetPrompt(false);
  const Time now = CoarseNow();
  if (role_ == Role::kEventLoop && now == updated_at_) return;
  const Time cpu_time = CpuTimeOfThisThread();
  const Time used = cpu_time - cpu_time_;
  const Time earned = (now - updated_at_) / OneInCoresOf(role_);
  credit_ = std::max(std::min(credit_ + earned, kMostCredit) - used, -kMostCredit);
  short_runs_ = used > kShortRun ? 0 : std::min(short_runs_ + 1, kShortRunsFirst);
  updated_at_ = now;
  cpu_time_ = cpu_time;
  if (const bool prompt = MayBePrompt(); prompt != is_prompt_) SetPrompt(prompt);
}

bool PromptThread::MayBePrompt() const noexcept {
  if (role_ == Role::kRunner && short_runs_ < kShortRunsFirst) return false;
  if (credit_ < (is_prompt_ ? Time(0) : kCreditToBecomePrompt)) return false;
  return !MayWaitSpinning(role_);
}

void PromptThread::SetPrompt(bool prompt) noexcept {
  if (!prompt) {
    if (!EndRealTimeOfThisThread()) return;
  } else if (!MakeThisThreadRealTime(RealTimePriorityOf(role_))) {
    AllowPromptThreads(false);  // nor will others be
    return;
  }
  is_prompt_ = prompt;
}

void AllowPromptThreads(bool allowed) noexcept { are_allowed = allowed; }

bool ArePromptThreadsPermitted() {
  bool permitted = false;
  std::thread([&] {
    permitted = MakeThisThreadRealTime(RealTimePriorityOf(PromptThread::Role::kEventLoop));
  }).join();
  return permitted;
}

SpinWait::SpinWait(PromptThread::Role role) noexcept : role_(role) { ++SpinWaitsOf(role_); }

SpinWait::~SpinWait() { --SpinWaitsOf(role_); }

}  // namespace warmswap
