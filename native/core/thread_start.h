#pragma once

#include <functional>
#include <thread>

namespace warmswap {

/// Runs `job` on a thread of its own, `name`, whose priority, for processor and disk, is ten steps
/// (nice) below the caller's; returns when it has ended. It must not throw. (A thread without
/// privileges cannot raise its priority again, so the caller's stays as it is.) Where no thread can
/// be started the job runs on the caller's.
void RunAtLowPriority(const char* name, const std::function<void()>& job);

/// Starts a thread, called `name` in the system's lists (15 characters at most), that has the
/// priority and time slice of the thread that waits for the job even if this is called in a job of
/// RunAtLowPriority, whose own threads inherit the job's.
std::thread StartThread(const char* name, std::function<void()> body);

}  // namespace warmswap
