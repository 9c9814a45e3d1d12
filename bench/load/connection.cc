#include "connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace load {
namespace {

/// From here on MessagePack writes a number with all of its four bytes.
constexpr std::uint32_t kFirstId = 65'536;
constexpr std::size_t kIdBytes = 4;

void WriteId(char* at, std::uint32_t id) {
  const std::uint32_t big_endian = htonl(id);
  std::memcpy(at, &big_endian, kIdBytes);
}

std::uint32_t ReadId(const char* at) {
  std::uint32_t big_endian = 0;
  std::memcpy(&big_endian, at, kIdBytes);
  return ntohl(big_endian);
}

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Address Resolve(const Url& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found);
  if (error != 0) throw UsageError(url.host + ": " + gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  Address address;
  address.length = found->ai_addrlen;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  return address;
}

void Connection::Connect() {
  const auto* address = reinterpret_cast<const sockaddr*>(&setup_.address.storage);
  socket_ = FileDescriptor(
      socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{EPOLLIN | EPOLLOUT, {.u64 = key_}};
  if (epoll_ctl(setup_.epoll, EPOLL_CTL_ADD, socket_.get(), &event) < 0) ThrowErrno("epoll_ctl");
  watches_writable_ = true;
  state_ = State::kConnecting;
  next_id_ = kFirstId;
  if (connect(socket_.get(), address, setup_.address.length) < 0 && errno != EINPROGRESS) Close();
}

void Connection::Send(Pending request) {
  request.id = next_id_;
  next_id_ = next_id_ == UINT32_MAX ? kFirstId : next_id_ + 1;
  in_flight_.push_back(request);
  const std::size_t start = unsent_.size();
  unsent_ += setup_.request;
  if (setup_.id_offset) WriteId(unsent_.data() + start + setup_.id_in_request, request.id);
  if (start == 0) FlushUnsent();
}

void Connection::OnEpoll(std::uint32_t epoll_events) {
  try {
    if (state_ == State::kConnecting) return FinishConnecting();
    if ((epoll_events & EPOLLOUT) != 0) FlushUnsent();
    if ((epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) Receive();
  } catch (const ProtocolError&) {
    Close();
  }
}

void Connection::FinishConnecting() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Close();
  Watch(false);
  const std::string opening = setup_.protocol->Opening();
  if (opening.empty()) {
    state_ = State::kOpen;
    return events_.OnOpen(*this);
  }
  state_ = State::kOpening;
  Write(opening);
}

void Connection::Receive() {
  const std::span<char> buffer = setup_.read_buffer;
  const ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && WouldBlock()) return;
  if (got <= 0) return Close();
  const std::string_view fresh(buffer.data(), static_cast<std::size_t>(got));
  if (received_.empty()) return ParseReceived(fresh);
  const std::string joined = std::exchange(received_, {}).append(fresh);
  ParseReceived(joined);
}

void Connection::ParseReceived(std::string_view received) {
  std::size_t parsed = state_ == State::kOpening ? ParseOpening(received) : 0;
  while (state_ == State::kOpen && parsed < received.size()) {
    const std::size_t length = ParseMessage(received.substr(parsed));
    if (length == 0) break;
    parsed += length;
  }
  if (state_ != State::kClosed) received_ = received.substr(parsed);
}

std::size_t Connection::ParseOpening(std::string_view received) {
  const std::size_t length = setup_.protocol->OpeningAnswerLength(received);
  if (length > 0) {
    state_ = State::kOpen;
    events_.OnOpen(*this);
  }
  return length;
}

std::size_t Connection::ParseMessage(std::string_view rest) {
  const Message message = setup_.protocol->Parse(rest);
  switch (message.kind) {
    case Message::Kind::kAnswer:
    case Message::Kind::kRefusal: {
      const Pending answered = TakeAnswered(message.payload);
      if (message.is_last) Close();
      events_.OnAnswer(*this, answered, message);
      break;
    }
    case Message::Kind::kPing:
      Write(setup_.protocol->Pong(message.payload));
      break;
    case Message::Kind::kClose:
      Close();
      break;
    case Message::Kind::kIncomplete:
    case Message::Kind::kOther:
      break;
  }
  return message.length;
}

Pending Connection::TakeAnswered(std::string_view payload) {
  auto answered = in_flight_.begin();
  if (setup_.id_offset && payload.size() >= *setup_.id_offset + kIdBytes) {
    const std::uint32_t id = ReadId(payload.data() + *setup_.id_offset);
    answered = std::ranges::find(in_flight_, id, &Pending::id);
  }
  if (answered == in_flight_.end()) throw ProtocolError("an answer to no request");
  const Pending request = *answered;
  in_flight_.erase(answered);
  return request;
}

void Connection::Write(std::string_view bytes) {
  const bool was_empty = unsent_.empty();
  unsent_ += bytes;
  if (was_empty) FlushUnsent();
}

void Connection::FlushUnsent() {
  if (unsent_.empty()) return Watch(false);
  const ssize_t sent = send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent < 0 && !WouldBlock()) return;  // the socket is about to report its end
  unsent_.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  Watch(!unsent_.empty());
}

void Connection::Watch(bool writable) {
  if (writable == watches_writable_) return;
  watches_writable_ = writable;
  const std::uint32_t wanted = EPOLLIN | (writable ? EPOLLOUT : 0U);
  epoll_event event{wanted, {.u64 = key_}};
  epoll_ctl(setup_.epoll, EPOLL_CTL_MOD, socket_.get(), &event);
}

void Connection::Close() {
  const bool was_open = std::exchange(state_, State::kClosed) == State::kOpen;
  socket_.Close();
  received_.clear();
  unsent_.clear();
  events_.OnClosed(*this, was_open, std::exchange(in_flight_, {}));
}

}  // namespace load
