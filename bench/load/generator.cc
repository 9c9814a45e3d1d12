#include "generator.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <iostream>

namespace load {
namespace {

constexpr std::uint64_t kTimerKey = UINT64_MAX;
constexpr std::uint64_t kStdinKey = UINT64_MAX - 1;
constexpr Nanoseconds kOpeningLimit = 10 * kSecond;
constexpr Nanoseconds kDrainLimit = 10 * kSecond;
constexpr Nanoseconds kRetryAfter = kSecond / 100;
/// A server this far behind has failed; the requests beyond count as lost.
constexpr std::size_t kMostWaiting = 1'000'000;
constexpr int kEventsAtOnce = 256;
/// Polling in vain takes less; what seems to take more was interrupted.
constexpr Nanoseconds kLongestPoll = 5000;
constexpr std::size_t kReadBytes = 256 * 1024;

void AddToEpoll(int epoll, int fd, std::uint64_t key) {
  epoll_event event{EPOLLIN, {.u64 = key}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) ThrowErrno("epoll_ctl");
}

ConnectionSetup MakeSetup(const Options& options, const Protocol& protocol) {
  ConnectionSetup setup;
  setup.address = Resolve(options.url);
  setup.protocol = &protocol;
  setup.request = protocol.Request(options.body);
  setup.id_offset = options.id_offset;
  const std::size_t body_at = setup.request.size() - options.body.size();
  setup.id_in_request = body_at + options.id_offset.value_or(0);
  return setup;
}

}  // namespace

Generator::Generator(const Options& options)
    : options_(options),
      expectation_(options),
      protocol_(options.url.is_websocket ? MakeWebSocketProtocol(options.url)
                                         : MakeHttpProtocol(options.url)),
      epoll_(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create"),
      read_buffer_(kReadBytes),
      setup_(MakeSetup(options, *protocol_)),
      recorder_(FromSeconds(options.series_seconds)) {
  setup_.epoll = epoll_.get();
  setup_.read_buffer = read_buffer_;
  AddToEpoll(epoll_.get(), timer_.get(), kTimerKey);
  prctl(PR_SET_TIMERSLACK, 1UL);
  if (is_open_loop()) interval_ = FromSeconds(1 / options.rate);
}

const Recorder& Generator::Run() {
  stage_ends_ = Now() + kOpeningLimit;
  ConnectionEvents& events = *this;
  for (std::size_t i = 0; i < options_.connections; ++i) {
    connections_.emplace_back(setup_, events, i);
    connections_.back().Connect();
  }
  while (stage_ != Stage::kDone) Wait();
  CountUnanswered();
  return recorder_;
}

void Generator::Wait() {
  ArmTimer(NextDeadline());
  const Nanoseconds before = Now();
  std::array<epoll_event, kEventsAtOnce> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), kEventsAtOnce, options_.polls ? 0 : -1);
  if (count < 0 && errno != EINTR) ThrowErrno("epoll_wait");
  if (count == 0) recorder_.CountIdle(std::min(Now() - before, kLongestPoll));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    HandleEpoll(event.data.u64, event.events);
  }
  HandleDue(Now());
}

void Generator::HandleEpoll(std::uint64_t key, std::uint32_t epoll_events) {
  if (key == kTimerKey) {
    std::uint64_t expirations = 0;
    static_cast<void>(read(timer_.get(), &expirations, sizeof expirations));
    armed_ = kNever;
  } else if (key == kStdinKey) {
    ReadPhaseNames();
  } else {
    connections_.at(key).OnEpoll(epoll_events);
  }
}

Nanoseconds Generator::NextDeadline() const {
  const Nanoseconds retry = retries_.empty() ? kNever : retries_.front().at;
  return std::min({stage_ends_, next_due_, retry});
}

void Generator::ArmTimer(Nanoseconds deadline) {
  if (deadline == armed_) return;
  armed_ = deadline;
  itimerspec setting{};
  if (deadline != kNever) {
    setting.it_value.tv_sec = static_cast<time_t>(deadline / kSecond);
    setting.it_value.tv_nsec = static_cast<long>(deadline % kSecond);
  }
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &setting, nullptr);
}

void Generator::HandleDue(Nanoseconds now) {
  while (!retries_.empty() && retries_.front().at <= now) {
    const std::size_t connection = retries_.front().connection;
    retries_.pop_front();
    connections_.at(connection).Connect();
  }
  if (next_due_ <= now) SendDue(now);
  if (stage_ends_ <= now) EndPhase(now);
  const auto is_idle = [](const Connection& it) { return it.in_flight().empty(); };
  if (stage_ == Stage::kDraining && waiting_.empty() &&
      std::ranges::all_of(connections_, is_idle)) {
    stage_ = Stage::kDone;
  }
}

void Generator::EndPhase(Nanoseconds now) {
  if (stage_ == Stage::kOpening) {
    throw std::runtime_error("only " + std::to_string(CountOpen()) + " of " +
                             std::to_string(options_.connections) + " connections opened");
  }
  if (stage_ == Stage::kDraining) {
    stage_ = Stage::kDone;
  } else if (!options_.phases_from_stdin && recorder_.name_of_current() == kWarmup) {
    recorder_.Begin("measured");
    stage_ends_ = now + FromSeconds(options_.seconds);
  } else {
    StartDraining();
  }
}

std::size_t Generator::CountOpen() const {
  return static_cast<std::size_t>(std::ranges::count_if(connections_, &Connection::is_open));
}

void Generator::StartRunning() {
  stage_ = Stage::kRunning;
  recorder_.Begin(kWarmup);
  std::cerr << "ready\n" << std::flush;
  const Nanoseconds now = Now();
  stage_ends_ = options_.phases_from_stdin ? kNever : now + FromSeconds(options_.warmup_seconds);
  if (options_.phases_from_stdin) AddToEpoll(epoll_.get(), STDIN_FILENO, kStdinKey);
  if (is_open_loop()) {
    next_due_ = now;
  } else {
    for (Connection& connection : connections_) FillConnection(connection);
  }
}

void Generator::StartDraining() {
  recorder_.End();
  stage_ = Stage::kDraining;
  next_due_ = kNever;
  stage_ends_ = Now() + kDrainLimit;
}

void Generator::ReadPhaseNames() {
  std::array<char, 4096> buffer{};
  const ssize_t got = read(STDIN_FILENO, buffer.data(), buffer.size());
  if (got <= 0) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
    return StartDraining();
  }
  phase_names_.append(buffer.data(), static_cast<std::size_t>(got));
  for (std::size_t end = 0; (end = phase_names_.find('\n')) != std::string::npos;) {
    recorder_.Begin(phase_names_.substr(0, end));
    phase_names_.erase(0, end + 1);
  }
}

void Generator::OnOpen(Connection& connection) {
  if (stage_ == Stage::kOpening && CountOpen() == options_.connections) return StartRunning();
  if (stage_ != Stage::kRunning) return;
  if (is_open_loop()) {
    SendWaiting();
  } else {
    FillConnection(connection);
  }
}

void Generator::OnAnswer(Connection& connection, const Pending& request, const Message& answer) {
  if (answer.kind == Message::Kind::kAnswer && expectation_.IsMetBy(answer.payload)) {
    recorder_.CountAnswer(request.phase, request.due, Now() - request.due);
  } else {
    recorder_.CountBadAnswer(request.phase, request.due);
  }
  if (is_open_loop()) {
    SendWaiting();
  } else if (stage_ == Stage::kRunning) {
    FillConnection(connection);
  }
}

void Generator::OnClosed(Connection& connection, bool was_open, const std::vector<Pending>& lost) {
  for (const Pending& request : lost) recorder_.CountLost(request.phase, request.due);
  if (was_open && stage_ == Stage::kRunning) recorder_.CountDisconnect();
  retries_.push_back({Now() + kRetryAfter, connection.key()});
}

void Generator::FillConnection(Connection& connection) {
  while (connection.is_open() && connection.in_flight().size() < options_.depth) {
    connection.Send({0, recorder_.current(), Now()});
  }
}

void Generator::SendDue(Nanoseconds now) {
  for (; next_due_ <= now; next_due_ += interval_) {
    if (waiting_.size() < kMostWaiting) {
      waiting_.push_back({0, recorder_.current(), next_due_});
    } else {
      recorder_.CountLost(recorder_.current(), next_due_);
    }
  }
  SendWaiting();
}

void Generator::SendWaiting() {
  while (!waiting_.empty()) {
    Connection* const connection = FreeConnection();
    if (connection == nullptr) return;
    connection->Send(waiting_.front());
    waiting_.pop_front();
  }
}

// Round robin, so that all workers behind one address get their share.
Connection* Generator::FreeConnection() {
  for (std::size_t tried = 0; tried < connections_.size(); ++tried) {
    Connection& connection = connections_.at(next_connection_);
    next_connection_ = (next_connection_ + 1) % connections_.size();
    if (connection.is_open() && connection.in_flight().size() < options_.depth) return &connection;
  }
  return nullptr;
}

void Generator::CountUnanswered() {
  for (const Pending& request : waiting_) recorder_.CountLost(request.phase, request.due);
  for (const Connection& connection : connections_) {
    for (const Pending& request : connection.in_flight()) {
      recorder_.CountLost(request.phase, request.due);
    }
  }
}

}  // namespace load
