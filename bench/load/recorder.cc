#include "recorder.h"

#include <sys/resource.h>

#include <algorithm>
#include <iomanip>

namespace load {
namespace {

/// A client that takes more of its core than this measures itself, not the server.
constexpr double kSaturatedShare = 0.9;

Nanoseconds ToNanoseconds(const timeval& time) {
  return static_cast<Nanoseconds>(time.tv_sec) * kSecond +
         static_cast<Nanoseconds>(time.tv_usec) * 1000;
}

Nanoseconds ProcessorTime() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return ToNanoseconds(usage.ru_utime) + ToNanoseconds(usage.ru_stime);
}

double Microseconds(double nanoseconds) { return nanoseconds / 1000; }

void PrintPhase(std::ostream& out, const Phase& phase) {
  const Histogram& latencies = phase.latencies;
  const double seconds = ToSeconds(phase.duration);
  const double client_share = seconds > 0 ? ToSeconds(phase.processor_time) / seconds : 0;
  out << "{\"phase\":\"" << phase.name << "\",\"requests\":" << latencies.count()
      << ",\"failures\":" << phase.bad_answers + phase.lost
      << ",\"badAnswers\":" << phase.bad_answers << ",\"lost\":" << phase.lost
      << ",\"disconnects\":" << phase.disconnects << ",\"seconds\":" << seconds
      << ",\"rps\":" << (seconds > 0 ? static_cast<double>(latencies.count()) / seconds : 0)
      << ",\"p50\":" << Microseconds(latencies.Quantile(0.5))
      << ",\"p90\":" << Microseconds(latencies.Quantile(0.9))
      << ",\"p99\":" << Microseconds(latencies.Quantile(0.99))
      << ",\"p999\":" << Microseconds(latencies.Quantile(0.999))
      << ",\"max\":" << Microseconds(static_cast<double>(latencies.max()))
      << ",\"clientShare\":" << client_share
      << ",\"clientSaturated\":" << (client_share > kSaturatedShare ? "true" : "false") << "}\n";
}

}  // namespace

Recorder::Recorder(Nanoseconds series_width) {
  if (series_width > 0) series_.emplace(series_width);
}

void Recorder::Begin(const std::string& name) {
  End();
  current_ = Find(name);
  running_ = true;
  began_ = Now();
  if (series_) series_->Mark(name, began_);
  processor_began_ = ProcessorTime();
  idle_ = 0;
}

void Recorder::End() {
  if (!running_) return;
  running_ = false;
  Phase& phase = phases_.at(current_);
  phase.duration += Now() - began_;
  const Nanoseconds processor_time = ProcessorTime() - processor_began_;
  phase.processor_time += processor_time - std::min(idle_, processor_time);
}

void Recorder::CountAnswer(std::size_t phase, Nanoseconds due, Nanoseconds latency) {
  phases_.at(phase).latencies.Add(latency);
  if (series_) series_->AddAnswer(due, latency);
}

void Recorder::CountBadAnswer(std::size_t phase, Nanoseconds due) {
  ++phases_.at(phase).bad_answers;
  if (series_) series_->AddFailure(due);
}

void Recorder::CountLost(std::size_t phase, Nanoseconds due) {
  ++phases_.at(phase).lost;
  if (series_) series_->AddFailure(due);
}

void Recorder::Print(std::ostream& out, const std::string& left_out) const {
  out << std::fixed << std::setprecision(3);
  for (const Phase& phase : phases_) {
    if (phase.name != left_out) PrintPhase(out, phase);
  }
  if (series_) series_->Print(out);
}

std::size_t Recorder::Find(const std::string& name) {
  const auto found = std::ranges::find(phases_, name, &Phase::name);
  if (found != phases_.end()) return static_cast<std::size_t>(found - phases_.begin());
  phases_.emplace_back(name);
  return phases_.size() - 1;
}

}  // namespace load
