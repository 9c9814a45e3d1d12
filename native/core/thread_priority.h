#pragma once

namespace warmswap {

/// How the system's scheduler treats threads. What the system refuses stays as it is.

/// Sets the priority of this thread, for processor and disk, ten steps (nice) below what it is, and
/// the time slice to the system's. (A thread without privileges cannot raise its priority again.)
void LowerPriorityOfThisThread();

/// Gives all threads of this process, and those that they start from now on, the lowest processor
/// priority and the disk only when nobody else wants it.
void LowerPriorityOfProcess();

/// Makes this thread, and those that it starts, take turns of 0.1 ms instead of some milliseconds:
/// when it has something to do it need not wait until a thread with longer ones has had its turn.
/// Its share of the time stays the same. Linux 6.12 and newer can do that.
void ShortenTimeSliceOfThisThread();

/// Has this thread run before all ordinary ones, and before real-time ones of a lower priority (1
/// is the lowest). Threads that it starts from then on are ordinary ones. False where the system
/// does not permit it; a thread that is niced stays as it is, too.
bool MakeThisThreadRealTime(int priority);

/// Makes this thread an ordinary one again, with turns of 0.1 ms. False if it could not.
bool EndRealTimeOfThisThread();

}  // namespace warmswap
