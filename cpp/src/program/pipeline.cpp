#include "program/pipeline.h"

#include <algorithm>
#include <span>

#include "pto/error.h"
#include "pto/pipeline.h"

namespace pto {
namespace {

constexpr uint32_t kNobody = UINT32_MAX;

std::span<const uint32_t> sends_of(const pto_process& process) { return {process.sends, process.send_count}; }
std::span<const uint32_t> receives_of(const pto_process& process) { return {process.receives, process.receive_count}; }

uint32_t sender_count(const pto_pipeline& pipeline, uint32_t channel) {
  const auto sends = [channel](const pto_process& process) {
    const auto channels = sends_of(process);
    return std::find(channels.begin(), channels.end(), channel) != channels.end();
  };
  return static_cast<uint32_t>(std::count_if(pipeline.processes, pipeline.processes + pipeline.process_count, sends));
}

}  // namespace

size_t ChannelState::position_of(uint32_t process) const {
  return static_cast<size_t>(std::find(receivers.begin(), receivers.end(), process) - receivers.begin());
}

Pipeline::Pipeline(const pto_pipeline& pipeline, StructureSink& sink)
    : pipeline_(pipeline), sink_(sink), processes_(pipeline.process_count) {
  for (uint32_t c = 0; c < pipeline.channel_count; ++c) {
    channels_.emplace_back(pipeline.channels[c], sender_count(pipeline, c));
  }
  for (uint32_t p = 0; p < pipeline.process_count; ++p) {
    for (const uint32_t channel : receives_of(info(p))) channels_[channel].receivers.push_back(p);
  }
  for (ChannelState& channel : channels_) channel.taken.assign(channel.receivers.size(), 0);
}

// Tokens are taken as soon as they can be, so their order, and with it every number, is that of a pipeline through
// which each token goes alone.
void Pipeline::run() {
  sink_.processes_begin(pipeline_.process_count);
  for (uint32_t running = kNobody;;) {
    uint32_t next = pipeline_.process_count;
    while (next > 0 && !can_go_on(next - 1)) --next;
    if (next == 0) break;
    if (next - 1 != running) sink_.process(running = next - 1);
    go_on(running);
  }
  if (!std::all_of(processes_.begin(), processes_.end(), [](const Process& p) { return p.ended; })) report_deadlock();
  sink_.processes_end();
}

bool Pipeline::can_go_on(uint32_t number) const {
  const Process& process = processes_[number];
  if (process.ended) return false;
  if (process.call == nullptr) return true;
  const ChannelState& channel = channels_[process.call->channel];
  switch (process.call->kind) {
    case PTO_SEND:
      return can_send(channel);
    case PTO_RECEIVE:
      return can_receive(number, channel);
    default:
      return true;
  }
}

// A buffer has a place once the token `depth` before has been taken; without a buffer the receiver has to be there.
bool Pipeline::can_send(const ChannelState& channel) const {
  const int64_t token = channel.sent;
  if (channel.info.depth > 0) return token < channel.info.depth || channel.is_taken(token - channel.info.depth);
  const auto position = static_cast<size_t>(token % channel.receiver_count());
  const Process& receiver = processes_[channel.receivers[position]];
  return receiver.call != nullptr && receiver.call->kind == PTO_RECEIVE &&
         &channels_[receiver.call->channel] == &channel && channel.next_of(position) == token;
}

bool Pipeline::can_receive(uint32_t process, const ChannelState& channel) const {
  return channel.next_of(channel.position_of(process)) < channel.sent || channel.open_senders == 0;
}

// Through the call that it stands at, or else to the next one: a token that was sent is taken first.
void Pipeline::go_on(uint32_t number) {
  Process& process = processes_[number];
  if (process.call != nullptr) {
    answer(number, *process.call);
    process.call = nullptr;
    return;
  }
  process.call = info(number).resume(info(number).frame);
  if (process.call != nullptr) return;
  process.ended = true;
  for (const uint32_t channel : sends_of(info(number))) --channels_[channel].open_senders;
}

void Pipeline::answer(uint32_t process, pto_channel_call& call) {
  ChannelState& channel = channels_[call.channel];
  switch (call.kind) {
    case PTO_SEND:
      return send(channel, call);
    case PTO_RECEIVE:
      return receive(process, channel, call);
    default:
      return finish_body(process, channel);
  }
}

void Pipeline::send(ChannelState& channel, const pto_channel_call& call) {
  ChannelState::Token token{{call.values, call.values + channel.info.width}, events_.take()};
  for (const int64_t value : token.values) {
    if (value > -PTO_INDEX_MAX && value < PTO_INDEX_MAX) continue;
    throw ExecutionError(std::string(call.location) + ": channel '" + channel.info.name + "' is sent " +
                         std::to_string(value) + ": expected an index, below 2^40");
  }
  sink_.mark(token.sent);
  channel.tokens.push_back(std::move(token));
  wait_for_place(channel, channel.sent++);
}

// What follows the send waits until a receiver has taken the token `depth` before: it has done the one before that.
void Pipeline::wait_for_place(ChannelState& channel, int64_t token) {
  const int64_t body = token - channel.info.depth - channel.receiver_count();
  if (body < 0) return;
  uint32_t& done = channel.bodies[static_cast<size_t>(body - channel.first_body)];
  sink_.wait(done, ProcessWait::ChannelFull);
  sink_.forget(done);
  events_.give_back(done);
  // Sends are in order, and so are the bodies that they wait for.
  channel.bodies.pop_front();
  ++channel.first_body;
}

void Pipeline::receive(uint32_t process, ChannelState& channel, pto_channel_call& call) {
  const size_t position = channel.position_of(process);
  const int64_t number = channel.next_of(position);
  call.received = number < channel.sent ? 1 : 0;
  if (!call.received) return;
  const ChannelState::Token& token = channel.tokens[static_cast<size_t>(number - channel.first_token)];
  std::copy(token.values.begin(), token.values.end(), call.values);
  sink_.wait(token.sent, ProcessWait::ChannelEmpty);
  sink_.forget(token.sent);
  events_.give_back(token.sent);
  ++channel.taken[position];
  while (!channel.tokens.empty() && channel.is_taken(channel.first_token)) {
    channel.tokens.pop_front();
    ++channel.first_token;
  }
}

// The receiver takes one token at a time: what follows waits for the body of this one.
void Pipeline::finish_body(uint32_t process, ChannelState& channel) {
  const size_t position = channel.position_of(process);
  const int64_t body = channel.next_of(position) - channel.receiver_count();
  const auto place = static_cast<size_t>(body - channel.first_body);
  if (place >= channel.bodies.size()) channel.bodies.resize(place + 1, ChannelState::kUnset);
  const uint32_t done = events_.take();
  channel.bodies[place] = done;
  sink_.mark(done);
  sink_.wait(done, ProcessWait::Order);
}

// ---- Deadlocks -------------------------------------------------------------------------------

uint32_t Pipeline::awaited_by(uint32_t process) const {
  const pto_channel_call& call = *processes_[process].call;
  const ChannelState& channel = channels_[call.channel];
  if (call.kind == PTO_SEND) {
    const int64_t token = channel.sent - (channel.info.depth > 0 ? channel.info.depth : 0);
    return channel.receivers[static_cast<size_t>(token % channel.receiver_count())];
  }
  for (uint32_t p = 0; p < pipeline_.process_count; ++p) {
    const auto sends = sends_of(info(p));
    if (!processes_[p].ended && std::find(sends.begin(), sends.end(), call.channel) != sends.end()) return p;
  }
  return kNobody;
}

std::string Pipeline::wait_text(uint32_t process) const {
  const pto_channel_call& call = *processes_[process].call;
  const ChannelState& channel = channels_[call.channel];
  std::string text = std::string("\n  process '") + info(process).name + "' waits at " + call.location;
  const std::string name = std::string(" channel '") + channel.info.name + "' (" + channel.info.location;
  if (call.kind == PTO_RECEIVE) return text + " to receive from" + name + "), which is empty";
  text += " to send to" + name + ", depth " + std::to_string(channel.info.depth) + ")";
  return text + (channel.info.depth > 0 ? ", which is full" : ", whose receiver is not there");
}

// From any process that waits, the one that it waits for, and so on, comes to a cycle: processes that have ended close
// their channels, and nobody waits for them.
void Pipeline::report_deadlock() const {
  std::vector<uint32_t> chain;
  const auto waits = [](const Process& process) { return !process.ended; };
  auto next = static_cast<uint32_t>(std::find_if(processes_.begin(), processes_.end(), waits) - processes_.begin());
  while (next != kNobody && std::find(chain.begin(), chain.end(), next) == chain.end()) {
    chain.push_back(next);
    next = awaited_by(next);
  }
  const auto begin = std::find(chain.begin(), chain.end(), next);
  std::string text = std::string(pipeline_.location) + ": deadlock: each of these processes waits for the next one";
  const ChannelState* full = nullptr;
  for (auto process = begin == chain.end() ? chain.begin() : begin; process != chain.end(); ++process) {
    text += wait_text(*process);
    const pto_channel_call& call = *processes_[*process].call;
    if (call.kind == PTO_SEND && full == nullptr) full = &channels_[call.channel];
  }
  if (full != nullptr) {
    text += std::string("\nraise the depth of channel '") + full->info.name + "' (" + full->info.location + ") above " +
            std::to_string(full->info.depth) + ", or receive in the order of the sends";
  } else {
    text += "\nlet one of them send before it receives";
  }
  throw ExecutionError(text);
}

void run_pipeline(const pto_pipeline& pipeline, StructureSink& sink) { Pipeline(pipeline, sink).run(); }

}  // namespace pto
