#include "options.h"

#include <getopt.h>

#include <array>
#include <fstream>
#include <iterator>
#include <regex>
#include <vector>

namespace load {

const char* const kUsage =
    "usage: warmswap_load --url ws://HOST:PORT/PATH|http://HOST:PORT/PATH --body FILE\n"
    "  [--connections N] [--depth N] [--rate PER_SECOND]   rate 0: closed loop\n"
    "  [--warmup SECONDS] [--seconds SECONDS]\n"
    "  [--phases]             a line on stdin begins the phase it names, end of file ends the "
    "load\n"
    "  [--series MILLISECONDS]   also a time series, of buckets so wide\n"
    "  [--poll]               never sleep; for a client that has a core of its own\n"
    "  [--id-offset BYTES]    where each request's number (4 bytes, big-endian) is written and "
    "read\n"
    "  [--expect HEX] [--expect-length BYTES]   what else is answered counts as failure; ?? any "
    "byte\n";

namespace {

double ToNumber(const std::string& text) {
  std::size_t used = 0;
  double number = -1;
  try {
    number = std::stod(text, &used);
  } catch (const std::logic_error&) {
    throw UsageError("expected a number, got '" + text + "'");
  }
  if (used != text.size() || number < 0) throw UsageError("expected a number, got '" + text + "'");
  return number;
}

std::size_t ToCount(const std::string& text) { return static_cast<std::size_t>(ToNumber(text)); }

Url ToUrl(const std::string& text) {
  static const std::regex kPattern(R"((ws|http)://([^:/]+):(\d+)(/.*)?)");
  std::smatch match;
  if (!std::regex_match(text, match, kPattern)) {
    throw UsageError("expected ws:// or http:// with host and port, got '" + text + "'");
  }
  return {match[1] == "ws", match[2], match[3], match[4].matched ? match[4].str() : "/"};
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UsageError("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Flag {
  const char* name;
  int takes_value;
  void (*apply)(Options& options, const std::string& value);
};

const std::array kFlags{
    Flag{"url", required_argument, [](Options& o, const std::string& v) { o.url = ToUrl(v); }},
    Flag{"body", required_argument, [](Options& o, const std::string& v) { o.body = ReadFile(v); }},
    Flag{"connections", required_argument,
         [](Options& o, const std::string& v) { o.connections = ToCount(v); }},
    Flag{"depth", required_argument,
         [](Options& o, const std::string& v) { o.depth = ToCount(v); }},
    Flag{"rate", required_argument, [](Options& o, const std::string& v) { o.rate = ToNumber(v); }},
    Flag{"warmup", required_argument,
         [](Options& o, const std::string& v) { o.warmup_seconds = ToNumber(v); }},
    Flag{"seconds", required_argument,
         [](Options& o, const std::string& v) { o.seconds = ToNumber(v); }},
    Flag{"phases", no_argument, [](Options& o, const std::string&) { o.phases_from_stdin = true; }},
    Flag{"series", required_argument,
         [](Options& o, const std::string& v) { o.series_seconds = ToNumber(v) / 1000; }},
    Flag{"poll", no_argument, [](Options& o, const std::string&) { o.polls = true; }},
    Flag{"id-offset", required_argument,
         [](Options& o, const std::string& v) { o.id_offset = ToCount(v); }},
    Flag{"expect", required_argument,
         [](Options& o, const std::string& v) { o.expected_prefix = v; }},
    Flag{"expect-length", required_argument,
         [](Options& o, const std::string& v) { o.expected_length = ToCount(v); }},
};

/// For getopt_long; each gives its index in kFlags.
std::vector<option> LongOptions() {
  std::vector<option> options;
  options.reserve(kFlags.size() + 1);
  for (const Flag& flag : kFlags) {
    options.push_back({flag.name, flag.takes_value, nullptr, static_cast<int>(options.size())});
  }
  options.push_back({nullptr, 0, nullptr, 0});
  return options;
}

void Check(const Options& options) {
  if (options.url.host.empty()) throw UsageError("--url is missing");
  if (options.body.empty()) throw UsageError("--body is missing or empty");
  if (options.connections == 0 || options.depth == 0) throw UsageError("expected at least 1");
  if (!options.url.is_websocket && options.depth > 1) {
    throw UsageError("HTTP requests are not pipelined: --depth must be 1");
  }
  if (options.id_offset && *options.id_offset + 4 > options.body.size()) {
    throw UsageError("--id-offset lies beyond the body");
  }
}

}  // namespace

Options ParseOptions(int argc, char** argv) {
  Options options;
  const std::vector<option> long_options = LongOptions();
  for (;;) {
    const int flag = getopt_long(argc, argv, "", long_options.data(), nullptr);
    if (flag < 0) break;
    if (flag == '?') throw UsageError("wrong usage");
    kFlags.at(static_cast<std::size_t>(flag)).apply(options, optarg == nullptr ? "" : optarg);
  }
  if (optind < argc) throw UsageError(std::string("unexpected ") + argv[optind]);
  Check(options);
  return options;
}

}  // namespace load
