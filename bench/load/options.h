#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace load {

/// Wrong usage; the message says what was expected.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Url {
  bool is_websocket = true;
  std::string host;
  std::string port;
  std::string path;
};

struct Options {
  Url url;
  std::string body;  ///< the whole payload of a WebSocket message or HTTP request
  std::size_t connections = 1;
  std::size_t depth = 1;  ///< most requests in flight on one connection
  double rate = 0;        ///< requests a second over all connections; 0: closed loop
  double warmup_seconds = 1;
  double seconds = 5;
  bool phases_from_stdin = false;
  double series_seconds = 0;  ///< width of the buckets of a time series; 0: none
  /// Never sleeps: for a client with a core of its own, which the server then need not wake.
  bool polls = false;
  /// Where in the payload a 4-byte big-endian request number stands, in requests and responses
  /// alike.
  std::optional<std::size_t> id_offset;
  std::string expected_prefix;  ///< hexadecimal digits; ?? is any byte
  std::optional<std::size_t> expected_length;
};

extern const char* const kUsage;

/// Throws UsageError.
Options ParseOptions(int argc, char** argv);

}  // namespace load
