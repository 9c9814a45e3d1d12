#pragma once

// The only place that includes node-addon-api. Without this macro it throws out of its own catch
// block, and so ends the process, where JavaScript cannot be reached any more: in a worker thread
// that is being terminated.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#include <napi.h>
#undef NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
