#pragma once

// The only place that includes ONNX Runtime's C++ API. The library is opened at run time
// (core/ort_library.h), hence the manual initialisation of its function table.
#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>
#undef ORT_API_MANUAL_INIT
