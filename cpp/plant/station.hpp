// A station: `servers` equal servers of `speed` (work per second each), one queue. Cells (work = seconds of airtime,
// speed 1) and compute servers (work = gigacycles, speed = GHz of a core) are stations.
//
//   processor sharing   n tasks are served at once, each at rate(n) = speed * min(1, servers / n).
//       Virtual time V(t) = integral of rate(n) is the service every task present has got; a task that joins at V with
//       work w leaves when V reaches its tag V + w. So only the smallest tag matters: O(log n) a task, no task is
//       touched while it waits.
//   first in, first out (servers an integer >= 1) the first `servers` tasks are served at `speed`, the others wait; the
//       departure is fixed on joining: max(now, earliest free server) + work / speed.
//
// A task is refused (lost) when the work present would take longer than `buffer_s` at full speed.
// Departures are rounded up to whole nanoseconds: at most 1 ns a task, nothing accumulates while tasks overlap.
//
// Requires   calls in order of time.   Thread  one thread owns it.   Costs  O(log tasks present) a task, no allocation
// once the heap has seen its longest queue.
#pragma once

#include <algorithm>
#include <vector>

#include "base/types.hpp"
#include "plant/event_tree.hpp"
#include "plant/tag_heap.hpp"
#include "plant/task.hpp"

namespace tiertwin::plant {

enum class Discipline : std::uint8_t { kSharing = 0, kFifo = 1, kWeighted = 2 };  // weighted: see flows.hpp

class Station {
  public:
    Station(Discipline discipline, double servers, double speed, double buffer_s)
        : discipline_(discipline), servers_(servers), speed_(speed), buffer_s_(buffer_s) {
        if (discipline == Discipline::kFifo) free_.assign(static_cast<std::size_t>(servers), 0);
    }

    // False: refused (down, or buffer full) and nothing changed but the clock.
    [[nodiscard]] bool join(Time now, TaskId task, double work);

    // When the next task leaves; kNever when none is here.
    [[nodiscard]] Time next() const;

    // Requires now == next(). The task that leaves.
    TaskId depart(Time now);

    // Above 0, from now on; first in first out for those who join later.
    void set_speed(Time now, double speed) {
        advance(now);
        speed_ = speed;
    }

    void set_up(bool up) { up_ = up; }
    [[nodiscard]] bool up() const { return up_; }

    // Everything that is here, in heap order, forgotten by the station.
    [[nodiscard]] std::vector<TaskId> evict(Time now);

    [[nodiscard]] index_t present() const { return static_cast<index_t>(heap_.size()); }
    [[nodiscard]] double waiting() const { return std::max(0.0, static_cast<double>(heap_.size()) - servers_); }
    [[nodiscard]] double servers() const { return servers_; }
    [[nodiscard]] double speed() const { return speed_; }
    // Integral of busy servers from time 0 to `now`, in server seconds. Looking changes nothing, not even a last digit.
    [[nodiscard]] double busy_s(Time now) const {
        return busy_s_ + busy_servers() * static_cast<double>(now - last_) * 1e-9;
    }

  private:
    void advance(Time now);
    [[nodiscard]] double busy_servers() const { return std::min(static_cast<double>(heap_.size()), servers_); }

    Discipline discipline_;
    bool up_ = true;
    std::uint32_t joins_ = 0;
    double servers_, speed_, buffer_s_;
    Time last_ = 0;
    double virtual_ = 0;  // service given to each task present (sharing)
    double backlog_ = 0;  // work present (sharing)
    double busy_s_ = 0;
    TagHeap heap_;            // sharing: tag in units of work; fifo: departure in ns (exact below 2^53 ns = 104 days)
    std::vector<Time> free_;  // min-heap of the times the servers fall free (fifo)
};

inline void Station::advance(Time now) {
    const double elapsed_s = static_cast<double>(now - last_) * 1e-9;
    last_ = now;
    if (heap_.empty()) return;
    const double busy = busy_servers();
    busy_s_ += busy * elapsed_s;
    if (discipline_ == Discipline::kSharing) {
        const double done = speed_ * busy * elapsed_s;
        backlog_ -= done;
        virtual_ += done / static_cast<double>(heap_.size());
    }
}

inline bool Station::join(Time now, TaskId task, double work) {
    advance(now);
    if (!up_) return false;
    double key = 0;
    if (discipline_ == Discipline::kSharing) {
        if (backlog_ > buffer_s_ * servers_ * speed_) return false;
        backlog_ += work;
        key = virtual_ + work;
    } else {
        const Time start = std::max(now, free_.front());
        if (static_cast<double>(start - now) * 1e-9 > buffer_s_) return false;
        const Time due = start + whole_ns(work / speed_);
        std::pop_heap(free_.begin(), free_.end(), std::greater<>{});
        free_.back() = due;
        std::push_heap(free_.begin(), free_.end(), std::greater<>{});
        key = static_cast<double>(due);
    }
    heap_.push({key, joins_++, task});
    return true;
}

inline Time Station::next() const {
    if (heap_.empty()) return kNever;
    const double key = heap_.front().key;
    if (discipline_ == Discipline::kFifo) return static_cast<Time>(key);
    const double rate = speed_ * busy_servers() / static_cast<double>(heap_.size());
    return last_ + whole_ns(std::max(0.0, key - virtual_) / rate);
}

inline TaskId Station::depart(Time now) {
    advance(now);
    const TagHeap::Entry first = heap_.front();
    heap_.pop();
    if (discipline_ == Discipline::kSharing) {
        virtual_ = std::max(virtual_, first.key);  // rounding must not leave it short of the tag it just served
        if (heap_.empty()) virtual_ = backlog_ = 0;
    }
    return first.task;
}

inline std::vector<TaskId> Station::evict(Time now) {
    advance(now);
    std::vector<TaskId> gone;
    gone.reserve(heap_.size());
    heap_.drain(gone);
    virtual_ = backlog_ = 0;
    std::fill(free_.begin(), free_.end(), now);
    return gone;
}

}  // namespace tiertwin::plant
