#include "core/request_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

#include "core/error.h"
#include "support.h"

namespace warmswap::test {
namespace {

Request Ticket(std::uint64_t ticket) {
  Request request;
  request.ticket = ticket;
  return request;
}

/// Its deadline has passed.
Request Late(std::uint64_t ticket, std::size_t priority = 0) {
  Request request = Ticket(ticket);
  request.priority = priority;
  request.deadline = Clock::now();
  return request;
}

Request Urgent(std::uint64_t ticket, std::size_t priority) {
  Request request = Ticket(ticket);
  request.priority = priority;
  return request;
}

std::vector<std::uint64_t> PopAll(RequestQueue& queue, std::size_t count) {
  std::vector<std::uint64_t> tickets;
  for (std::size_t i = 0; i < count; ++i) tickets.push_back(queue.Pop().value().ticket);
  return tickets;
}

bool Fits(const Request&) { return true; }
bool FitsNot(const Request&) { return false; }

std::vector<std::uint64_t> Tickets(const std::vector<Request>& requests) {
  std::vector<std::uint64_t> tickets;
  for (const Request& request : requests) tickets.push_back(request.ticket);
  return tickets;
}

}  // namespace

TEST_CASE("requests leave the queue in the order in which they came") {
  RequestQueue queue(8);
  for (std::uint64_t ticket : {3, 1, 2}) queue.Push(Ticket(ticket));
  for (std::uint64_t ticket : {3, 1, 2}) CHECK(queue.Pop().value().ticket == ticket);
}

TEST_CASE("a full queue refuses at once with RESOURCE_EXHAUSTED") {
  RequestQueue queue(2);
  queue.Push(Ticket(1));
  queue.Push(Ticket(2));
  const Error error = ErrorOf([&] { queue.Push(Ticket(3)); });
  CHECK(CodeName(error) == "RESOURCE_EXHAUSTED");
  CHECK(Contains(error.what(), "2 requests"));
}

TEST_CASE("a more urgent request takes the place of the last of the least urgent ones") {
  RequestQueue queue(4, 3);
  CHECK_FALSE(queue.Push(Urgent(1, 1)).displaced.has_value());
  CHECK_FALSE(queue.Push(Urgent(2, 2)).displaced.has_value());
  CHECK_FALSE(queue.Push(Urgent(3, 2)).displaced.has_value());
  CHECK_FALSE(queue.Push(Urgent(4, 1)).displaced.has_value());
  CHECK(queue.Push(Urgent(5, 1)).displaced.value().ticket == 3);
  CHECK(queue.Push(Urgent(6, 0)).displaced.value().ticket == 2);
  CHECK(queue.Push(Urgent(7, 0)).displaced.value().ticket == 5);
  CHECK(PopAll(queue, 4) == std::vector<std::uint64_t>{6, 7, 1, 4});
}

TEST_CASE("a full queue refuses what is no more urgent than all that waits, and keeps it") {
  RequestQueue queue(2, 3);
  queue.Push(Urgent(1, 1));
  queue.Push(Urgent(2, 0));
  for (const std::size_t priority : {1, 2}) {
    CHECK(CodeName(ErrorOf([&] { queue.Push(Urgent(3, priority)); })) == "RESOURCE_EXHAUSTED");
  }
  CHECK(PopAll(queue, 2) == std::vector<std::uint64_t>{2, 1});
}

TEST_CASE("requests past their deadlines leave a full queue first, whatever their priority") {
  RequestQueue queue(4, 2);
  queue.Push(Late(1, 0));
  queue.Push(Urgent(2, 1));
  queue.Push(Late(3, 1));
  queue.Push(Urgent(4, 1));
  const RequestQueue::Evicted evicted = queue.Push(Urgent(5, 0));
  CHECK(Tickets(evicted.expired) == std::vector<std::uint64_t>{1, 3});
  CHECK_FALSE(evicted.displaced.has_value());
  CHECK(queue.Push(Urgent(6, 1)).expired.empty());
  CHECK(PopAll(queue, 4) == std::vector<std::uint64_t>{5, 2, 4, 6});
}

TEST_CASE("requests past their deadlines stay as long as there is room") {
  RequestQueue queue(2);
  queue.Push(Late(1));
  CHECK(queue.Push(Ticket(2)).expired.empty());
  CHECK(PopAll(queue, 2) == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("a full queue finds each of the deadlines that pass, also once others have left") {
  RequestQueue queue(2);
  queue.Push(Late(1));
  queue.Push(Ticket(2));
  CHECK(PopAll(queue, 1) == std::vector<std::uint64_t>{1});
  queue.Push(Ticket(3));
  CHECK(CodeName(ErrorOf([&] { queue.Push(Ticket(4)); })) == "RESOURCE_EXHAUSTED");
  CHECK(PopAll(queue, 1) == std::vector<std::uint64_t>{2});
  queue.Push(Late(5));
  CHECK(Tickets(queue.Push(Ticket(6)).expired) == std::vector<std::uint64_t>{5});
  CHECK(PopAll(queue, 2) == std::vector<std::uint64_t>{3, 6});
}

TEST_CASE("a queue is full for those whom it would refuse, and for nobody else") {
  RequestQueue queue(2, 3);
  CHECK_FALSE(queue.IsFullFor(2));
  queue.Push(Urgent(1, 1));
  queue.Push(Urgent(2, 1));
  for (const std::size_t priority : {1, 2}) {
    CHECK(queue.IsFullFor(priority));
    CHECK_THROWS_AS(queue.Push(Urgent(3, priority)), Error);
  }
  CHECK(queue.IsFullFor(std::nullopt));
  CHECK_FALSE(queue.IsFullFor(0));
  queue.Remove(2);
  queue.Push(Late(4, 1));
  CHECK_FALSE(queue.IsFullFor(2));
  CHECK(Tickets(queue.Push(Urgent(5, 2)).expired) == std::vector<std::uint64_t>{4});
  queue.Close();
  CHECK_FALSE(queue.IsFullFor(2));
}

TEST_CASE("what is late is taken out, and the next deadline is told") {
  RequestQueue queue(8, 2);
  Request later = Ticket(1);
  const auto then = Clock::now() + std::chrono::hours(1);
  later.deadline = then;
  queue.Push(std::move(later));
  queue.Push(Late(2, 1));
  queue.Push(Late(3, 0));
  const RequestQueue::Expired expired = queue.TakeExpired();
  CHECK(Tickets(expired.requests) == std::vector<std::uint64_t>{3, 2});
  CHECK(expired.next == then);
  CHECK(queue.TakeExpired().requests.empty());
  CHECK(queue.Pop().value().ticket == 1);
  CHECK(queue.TakeExpired().next == Clock::time_point::max());
}

TEST_CASE("a queue that is closed displaces nothing") {
  RequestQueue queue(1, 2);
  queue.Push(Urgent(1, 1));
  CHECK(Tickets(queue.Close()) == std::vector<std::uint64_t>{1});
  CHECK(CodeName(ErrorOf([&] { queue.Push(Urgent(2, 0)); })) == "UNAVAILABLE");
}

TEST_CASE("a request that was taken makes room for another") {
  RequestQueue queue(1);
  queue.Push(Ticket(1));
  CHECK(queue.Pop().value().ticket == 1);
  queue.Push(Ticket(2));
  CHECK(queue.Pop().value().ticket == 2);
}

TEST_CASE("a queue of capacity 0 refuses everything") {
  RequestQueue queue(0);
  CHECK(CodeName(ErrorOf([&] { queue.Push(Ticket(1)); })) == "RESOURCE_EXHAUSTED");
}

TEST_CASE("a request is stamped with the time at which it was queued") {
  RequestQueue queue(1);
  const auto before = Clock::now();
  queue.Push(Ticket(1));
  const auto after = Clock::now();
  const auto queued_at = queue.Pop().value().queued_at;
  CHECK(queued_at >= before);
  CHECK(queued_at <= after);
}

TEST_CASE("closing gives back what waits, in order, and only once") {
  RequestQueue queue(8);
  for (std::uint64_t ticket : {3, 1, 2}) queue.Push(Ticket(ticket));
  CHECK(Tickets(queue.Close()) == std::vector<std::uint64_t>{3, 1, 2});
  CHECK(queue.Close().empty());
}

TEST_CASE("a closed queue refuses with UNAVAILABLE and has nothing to pop") {
  RequestQueue queue(1);
  queue.Push(Ticket(1));
  queue.Close();
  CHECK(CodeName(ErrorOf([&] { queue.Push(Ticket(2)); })) == "UNAVAILABLE");
  CHECK_FALSE(queue.Pop().has_value());
}

TEST_CASE("pop waits for a request") {
  RequestQueue queue(1);
  Event popped;
  std::uint64_t ticket = 0;
  std::thread consumer([&] {
    ticket = queue.Pop().value().ticket;
    popped.Set();
  });
  queue.Push(Ticket(7));
  queue.Wake();
  CHECK(popped.Wait());
  consumer.join();
  CHECK(ticket == 7);
}

TEST_CASE("one wake-up reaches as many as there are requests") {
  RequestQueue queue(2);
  std::vector<std::thread> consumers;
  for (int i = 0; i < 2; ++i) {
    consumers.emplace_back([&queue] { CHECK(queue.Pop().has_value()); });
  }
  queue.Push(Ticket(1));
  queue.Push(Ticket(2));
  queue.Wake();
  for (std::thread& consumer : consumers) consumer.join();
}

TEST_CASE("closing wakes every pop that waits") {
  RequestQueue queue(1);
  std::vector<int> empty(3);
  std::vector<std::thread> consumers;
  for (int& is_empty : empty) {
    consumers.emplace_back([&queue, &is_empty] { is_empty = queue.Pop().has_value() ? 0 : 1; });
  }
  queue.Close();
  for (std::thread& consumer : consumers) consumer.join();
  CHECK(empty == std::vector<int>{1, 1, 1});
}

TEST_CASE(
    "more urgent requests leave first, those of one priority in the order in which they came") {
  RequestQueue queue(8, 3);
  queue.Push(Urgent(1, 2));
  queue.Push(Urgent(2, 0));
  queue.Push(Urgent(3, 1));
  queue.Push(Urgent(4, 0));
  queue.Push(Urgent(5, 2));
  CHECK(PopAll(queue, 5) == std::vector<std::uint64_t>{2, 4, 3, 1, 5});
}

TEST_CASE("a request without a priority has the middle one") {
  RequestQueue queue(8, 3);
  queue.Push(Urgent(1, 2));
  queue.Push(Ticket(2));
  queue.Push(Urgent(3, 1));
  queue.Push(Urgent(4, 0));
  CHECK(PopAll(queue, 4) == std::vector<std::uint64_t>{4, 2, 3, 1});
}

TEST_CASE("a priority that there is not is refused with INVALID_ARGUMENT") {
  RequestQueue queue(8, 3);
  const Error error = ErrorOf([&] { queue.Push(Urgent(1, 3)); });
  CHECK(CodeName(error) == "INVALID_ARGUMENT");
  CHECK(Message(error) == "priority: expected 0 to 2, got 3");
}

TEST_CASE("the bound of a queue holds over all priorities") {
  RequestQueue queue(2, 3);
  queue.Push(Urgent(1, 2));
  queue.Push(Urgent(2, 1));
  CHECK(CodeName(ErrorOf([&] { queue.Push(Urgent(3, 2)); })) == "RESOURCE_EXHAUSTED");
}

TEST_CASE("closing gives back what waits, the more urgent first") {
  RequestQueue queue(8, 2);
  queue.Push(Urgent(1, 1));
  queue.Push(Urgent(2, 0));
  CHECK(Tickets(queue.Close()) == std::vector<std::uint64_t>{2, 1});
}

TEST_CASE("a request that is removed makes room and is never popped") {
  RequestQueue queue(2, 2);
  queue.Push(Urgent(1, 1));
  queue.Push(Urgent(2, 1));
  CHECK(queue.Remove(1).value().ticket == 1);
  CHECK_FALSE(queue.Remove(1).has_value());
  CHECK_FALSE(queue.Remove(7).has_value());
  queue.Push(Urgent(3, 1));
  CHECK(PopAll(queue, 2) == std::vector<std::uint64_t>{2, 3});
}

TEST_CASE("what is taken is told under the lock, what is removed is not") {
  std::vector<std::uint64_t> taken;
  RequestQueue queue(8, 1, [&](const Request& request) { taken.push_back(request.ticket); });
  for (std::uint64_t ticket : {1, 2, 3}) queue.Push(Ticket(ticket));
  queue.Remove(2);
  PopAll(queue, 1);
  queue.PopIf(Fits, Clock::now());
  CHECK(taken == std::vector<std::uint64_t>{1, 3});
}

TEST_CASE("a conditional pop takes the next request or leaves it, and waits no longer than told") {
  RequestQueue queue(8);
  CHECK_FALSE(queue.PopIf(Fits, Clock::now() + std::chrono::milliseconds(1)).has_value());
  queue.Push(Ticket(1));
  CHECK_FALSE(queue.PopIf(FitsNot, Clock::now() + kPatience).has_value());
  CHECK(queue.PopIf(Fits, Clock::now()).value().ticket == 1);
  queue.Close();
  CHECK_FALSE(queue.PopIf(Fits, Clock::now() + kPatience).has_value());
}

TEST_CASE("a request that a conditional pop leaves reaches a pop that waits") {
  RequestQueue queue(8);
  std::thread conditional([&] { queue.PopIf(FitsNot, Clock::now() + kPatience); });
  std::thread consumer([&] { CHECK(queue.Pop().value().ticket == 1); });
  queue.Push(Ticket(1));
  queue.Wake();
  consumer.join();
  queue.Close();
  conditional.join();
}

TEST_CASE("requests of many producers reach exactly one of many consumers") {
  constexpr std::uint64_t kProducers = 3;
  constexpr std::uint64_t kEach = 500;
  RequestQueue queue(kProducers * kEach);
  std::vector<std::vector<std::uint64_t>> seen(3);
  std::vector<std::thread> consumers;
  for (auto& tickets : seen) {
    consumers.emplace_back([&queue, &tickets] {
      while (const auto request = queue.Pop()) tickets.push_back(request->ticket);
    });
  }
  std::vector<std::thread> producers;
  for (std::uint64_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&queue, p] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        queue.Push(Ticket(p * kEach + i));
        if (i % 7 == p) queue.Wake();
      }
      queue.Wake();
    });
  }
  for (std::thread& producer : producers) producer.join();
  std::vector<std::uint64_t> all = Tickets(queue.Close());
  for (std::thread& consumer : consumers) consumer.join();
  for (const auto& tickets : seen) all.insert(all.end(), tickets.begin(), tickets.end());
  std::ranges::sort(all);
  std::vector<std::uint64_t> expected(kProducers * kEach);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(all == expected);
}

}  // namespace warmswap::test
