#pragma once

#include <functional>
#include <thread>

namespace warmswap {

/// Runs `job` on a thread of its own whose priority, for processor and disk, is ten steps (nice)
/// below the caller's; returns when it has ended. It must not throw. (A thread without privileges
/// cannot raise its priority again, so the caller's stays as it is.) Where no thread can be started
/// the job runs on the caller's.
void RunAtLowPriority(const std::function<void()>& job);

/// Gives all threads of this process, and those that they start from now on, the lowest processor
/// priority and the disk only when nobody else wants it. What the system refuses stays as it is.
void LowerPriorityOfProcess();

/// Starts a thread that has the priority of the process even if this is called in a job of
/// RunAtLowPriority, whose own threads inherit its priority.
std::thread StartThread(std::function<void()> body);

}  // namespace warmswap
