// Lets the processes of a pipeline take turns, and says what waits for what (rule 16).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "program/event_numbers.h"
#include "pto/abi.h"
#include "pto/source.h"

namespace pto {

// Of a channel: its tokens in order of their sends. With n receivers, token k is the (k mod n)-th's.
class ChannelState {
 public:
  ChannelState(const pto_channel& info, uint32_t senders) : info(info), open_senders(senders) {}

  struct Token {
    std::vector<int64_t> values;
    uint32_t sent = 0;  // the event of its send
  };
  const pto_channel& info;
  uint32_t open_senders;
  std::vector<uint32_t> receivers;  // processes
  std::vector<int64_t> taken;       // by each receiver
  int64_t sent = 0;
  std::deque<Token> tokens;  // from `first_token` on
  int64_t first_token = 0;
  std::deque<uint32_t> bodies;  // the events of their ends, from `first_body` on; kUnset before
  int64_t first_body = 0;

  static constexpr uint32_t kUnset = UINT32_MAX;
  int64_t receiver_count() const { return static_cast<int64_t>(receivers.size()); }
  size_t position_of(uint32_t process) const;
  // The token that the receiver takes next.
  int64_t next_of(size_t position) const { return static_cast<int64_t>(position) + receiver_count() * taken[position]; }
  bool is_taken(int64_t token) const {
    const auto position = static_cast<size_t>(token % receiver_count());
    return token / receiver_count() < taken[position];
  }
};

class Pipeline {
 public:
  Pipeline(const pto_pipeline& pipeline, StructureSink& sink);

  // Resumes the processes until all have ended: always the last declared one that can go on, by counts of tokens alone.
  // Throws ExecutionError for a deadlock, and for a token with a number that is no index.
  void run();

 private:
  struct Process {
    pto_channel_call* call = nullptr;  // that it stands at; none: it can go on
    bool ended = false;
  };

  const pto_process& info(uint32_t process) const { return pipeline_.processes[process]; }
  bool can_go_on(uint32_t process) const;
  bool can_send(const ChannelState& channel) const;
  bool can_receive(uint32_t process, const ChannelState& channel) const;
  void go_on(uint32_t process);
  void answer(uint32_t process, pto_channel_call& call);
  void send(ChannelState& channel, const pto_channel_call& call);
  void wait_for_place(ChannelState& channel, int64_t token);
  void receive(uint32_t process, ChannelState& channel, pto_channel_call& call);
  void finish_body(uint32_t process, ChannelState& channel);
  [[noreturn]] void report_deadlock() const;
  uint32_t awaited_by(uint32_t process) const;
  std::string wait_text(uint32_t process) const;

  const pto_pipeline& pipeline_;
  StructureSink& sink_;
  std::vector<ChannelState> channels_;
  std::vector<Process> processes_;
  EventNumbers events_;
};

}  // namespace pto
