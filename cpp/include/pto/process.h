// Processes as coroutines: a function that pauses at each of its channel calls.
#ifndef PTO_PROCESS_H
#define PTO_PROCESS_H

#include <coroutine>
#include <exception>

#include "pto/abi.h"

// `co_await pto_pause{&call}` hands the call over and goes on once it is answered.
struct pto_pause {
  pto_channel_call* call;
};

// The frame of a process. It ends with its owner, wherever the process stands.
class pto_frame {
 public:
  struct promise_type {
    pto_channel_call* call = nullptr;

    pto_frame get_return_object() { return pto_frame(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always await_transform(pto_pause pause) {
      call = pause.call;
      return {};
    }
    void return_void() { call = nullptr; }
    void unhandled_exception() { std::terminate(); }
  };

  ~pto_frame() { handle_.destroy(); }
  pto_frame(const pto_frame&) = delete;
  pto_frame& operator=(const pto_frame&) = delete;

  void* address() const { return handle_.address(); }
  // See pto_process.
  static pto_channel_call* resume(void* address) {
    const auto handle = std::coroutine_handle<promise_type>::from_address(address);
    handle.resume();
    return handle.promise().call;
  }

 private:
  explicit pto_frame(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

#endif
