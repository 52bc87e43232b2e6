// A directed link: one transmitter that sends whole tasks (store and forward) at what the background traffic leaves,
// then propagation.
//
//   weighted              flows share the transmitter by weight, first in first out inside each (flows.hpp). A change
//   of
//                         background counts at once, for tasks under way too.
//   first in, first out   departure = max(now, free) + megabits / (capacity - background). The rate is fixed when a
//   task
//                         joins; a later change of background counts for those who join later.
//
// Arrival at the far end = departure + propagation. Background never takes more than 99 % of the capacity.
#pragma once

#include <algorithm>
#include <vector>

#include "base/types.hpp"
#include "plant/event_tree.hpp"
#include "plant/flows.hpp"
#include "plant/task.hpp"

namespace tiertwin::plant {

inline constexpr double kMaxBackgroundShare = 0.99;

class Link {
  public:
    Link(bool fifo, double capacity_mbps, double propagation_s, double buffer_s)
        : capacity_mbps_(capacity_mbps),
          s_per_megabit_(1.0 / capacity_mbps),
          buffer_s_(buffer_s),
          propagation_(whole_ns(propagation_s)),
          fifo_(fifo),
          sender_(Discipline::kFifo, 1.0, capacity_mbps, buffer_s, 0) {}

    void set_background(TaskPool& pool, Time now, double mbps) {
        send(pool, now);
        wanted_background_mbps_ = mbps;
        background_mbps_ = std::min(mbps, kMaxBackgroundShare * capacity_mbps_);
        s_per_megabit_ = 1.0 / (capacity_mbps_ - background_mbps_);
        sender_.set_speed(now, capacity_mbps_ - background_mbps_);
    }

    // Above 0, from now on; shares granted still refer to the capacity it was made with.
    void set_capacity(TaskPool& pool, Time now, double mbps) {
        capacity_mbps_ = mbps;
        set_background(pool, now, wanted_background_mbps_);
    }

    // As in FlowStation, in Mb/s; nothing where flows are not told apart.
    void grow(TaskPool& pool, Time now, index_t flows) {
        send(pool, now);
        sender_.grow(now, flows);
    }
    void grant(TaskPool& pool, Time now, index_t first, std::span<const double> mbps) {
        send(pool, now);
        sender_.grant(now, first, mbps);
    }

    // When the next task arrives at the far end; kNever when none is here.
    [[nodiscard]] Time next(TaskPool& pool) const {
        if (queue_.head != kNoTask) return pool[queue_.head].due;
        return sender_.next() == kNever ? kNever : sender_.next() + propagation_;
    }

    // False: refused (down, or it would wait longer than the buffer).
    [[nodiscard]] bool join(TaskPool& pool, Time now, TaskId id, index_t flow) {
        if (!up_) return false;
        if (!fifo_) {
            send(pool, now);
            return sender_.join(now, id, pool[id].megabits, flow);
        }
        const Time start = std::max(now, free_);
        if (static_cast<double>(start - now) * 1e-9 > buffer_s_) return false;
        free_ = start + whole_ns(pool[id].megabits * s_per_megabit_);
        pool[id].due = free_ + propagation_;
        queue_.push(pool, id);
        return true;
    }

    // Requires now == next(). The task that arrives.
    [[nodiscard]] TaskId arrive(TaskPool& pool, Time now) {
        send(pool, now);
        const TaskId id = queue_.pop(pool);
        carried_mb_ += pool[id].megabits;
        return id;
    }

    // Everything that is on the link, forgotten by it.
    [[nodiscard]] std::vector<TaskId> evict(TaskPool& pool, Time now) {
        send(pool, now);
        std::vector<TaskId> gone = sender_.evict(now);
        while (queue_.head != kNoTask) gone.push_back(queue_.pop(pool));
        free_ = now;
        return gone;
    }

    void set_up(bool up) { up_ = up; }
    [[nodiscard]] bool up() const { return up_; }
    [[nodiscard]] double capacity_mbps() const { return capacity_mbps_; }
    [[nodiscard]] double background_mbps() const { return background_mbps_; }
    [[nodiscard]] Time propagation() const { return propagation_; }
    // Megabits of tasks that arrived at the far end since time 0.
    [[nodiscard]] double carried_mb() const { return carried_mb_; }

  private:
    // What left the transmitter by `now` is in propagation. Nobody sees a task leave it, so this waits until somebody
    // asks: one event a hop, not two.
    void send(TaskPool& pool, Time now) {
        while (sender_.next() <= now) {
            const Time left = sender_.next();
            const TaskId id = sender_.depart(left);
            pool[id].due = left + propagation_;
            queue_.push(pool, id);
        }
    }

    double capacity_mbps_;
    double background_mbps_ = 0, wanted_background_mbps_ = 0;
    double s_per_megabit_;
    double buffer_s_;
    double carried_mb_ = 0;
    Time propagation_;
    Time free_ = 0;
    TaskQueue
        queue_;  // fifo: waiting, in transmission and in propagation; weighted: in propagation. All leave in order
    bool fifo_;
    bool up_ = true;
    FlowStation sender_;  // idle where `fifo_`
};

}  // namespace tiertwin::plant
