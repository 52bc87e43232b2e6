// A task under way, and the pool all of them live in. Last in, first out: the few thousand tasks in flight stay in
// cache.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::plant {

enum class Tier : std::uint8_t { kDevice = 0, kEdge = 1, kFog = 2, kCloud = 3 };
inline constexpr index_t kTiers = 4;

using TaskId = std::int32_t;
inline constexpr TaskId kNoTask = -1;

struct alignas(64) Task {  // one cache line
    Time born = 0;
    Time due = 0;  // where the queue it stands in fixes the departure on joining (links, the device's own CPU)
    double megabits = 0;
    double gcycles = 0;
    std::int64_t energy_nj = 0;
    std::int32_t device = 0;
    TaskId next = kNoTask;          // in the list of its queue
    std::int32_t hop = 0, end = 0;  // links still ahead: range of the route table
    std::int32_t group = 0;         // its device's when it was born: in whose books it is counted
    std::uint16_t site = 0;         // where it enters the network: its routes and servers are this site's
    std::uint8_t service = 0;       // its class
    Tier tier = Tier::kDevice;
};
static_assert(sizeof(Task) == 64);

class TaskPool {
  public:
    [[nodiscard]] TaskId take() {
        if (free_ == kNoTask) {
            tasks_.emplace_back();
            ++in_use_;
            return static_cast<TaskId>(tasks_.size() - 1);
        }
        const TaskId id = free_;
        free_ = (*this)[id].next;
        ++in_use_;
        return id;
    }

    void give_back(TaskId id) {
        (*this)[id].next = free_;
        free_ = id;
        --in_use_;
    }

    [[nodiscard]] Task& operator[](TaskId id) { return tasks_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] index_t in_use() const { return in_use_; }

  private:
    std::vector<Task> tasks_;  // references die when `take` grows it
    TaskId free_ = kNoTask;
    index_t in_use_ = 0;
};

// First in, first out, threaded through the tasks themselves.
struct TaskQueue {
    TaskId head = kNoTask, tail = kNoTask;
    std::int32_t count = 0;

    void push(TaskPool& pool, TaskId id) {
        pool[id].next = kNoTask;
        if (tail == kNoTask) {
            head = id;
        } else {
            pool[tail].next = id;
        }
        tail = id;
        ++count;
    }

    TaskId pop(TaskPool& pool) {
        const TaskId id = head;
        head = pool[id].next;
        if (head == kNoTask) tail = kNoTask;
        --count;
        return id;
    }
};

}  // namespace tiertwin::plant
