// A few threads that do the parts of a job together, for the time of one solve. The core has no threads of its own: it
// hands its parts to whoever runs them.
//
// Which thread does which part is left to chance; what comes out must not depend on it: parts write to places of their
// own, and are added up afterwards in their order. One thread is no thread: everything is done by the caller.
//
// Thread safety  one thread owns a Team and calls `run`. A part must not throw.
// Cost           about 10 us a run for each thread that has to wake up.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tiertwin::bindings {

class Team {
  public:
    explicit Team(std::size_t threads);  // the caller is one of them
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    // part(0) .. part(parts - 1), in any order and at the same time; returns when all are done.
    void run(std::size_t parts, const std::function<void(std::size_t)>& part);

  private:
    void work();
    void take();

    std::vector<std::thread> others_;
    std::mutex mutex_;
    std::condition_variable begin_, end_;
    const std::function<void(std::size_t)>* part_ = nullptr;
    std::atomic<std::size_t> next_{0};
    std::size_t parts_ = 0, round_ = 0, busy_ = 0;
    bool over_ = false;
};

}  // namespace tiertwin::bindings
