// A directed link: one transmitter that sends whole tasks first in, first out (store and forward) at what the
// background traffic leaves, then propagation.
//
//   departure = max(now, free) + megabits / (capacity - background),   arrival at the far end = departure + propagation
//
// The rate is fixed when a task joins; a later change of background counts for those who join later. Background never
// takes more than 99 % of the capacity.
#pragma once

#include <algorithm>

#include "base/types.hpp"
#include "plant/event_tree.hpp"
#include "plant/task.hpp"

namespace tiertwin::plant {

inline constexpr double kMaxBackgroundShare = 0.99;

struct Link {
    double capacity_mbps = 0;
    double background_mbps = 0;
    double s_per_megabit = 0;
    double buffer_s = 0;
    double carried_mb = 0;  // megabits of tasks that arrived at the far end since time 0
    Time propagation = 0;
    Time free = 0;
    TaskQueue queue;  // waiting, in transmission and in propagation: all leave in this order
    bool up = true;

    void set_background(double mbps) {
        background_mbps = std::min(mbps, kMaxBackgroundShare * capacity_mbps);
        s_per_megabit = 1.0 / (capacity_mbps - background_mbps);
    }

    [[nodiscard]] Time next(TaskPool& pool) const { return queue.head == kNoTask ? kNever : pool[queue.head].due; }

    // False: refused (down, or it would wait longer than the buffer).
    [[nodiscard]] bool join(TaskPool& pool, Time now, TaskId id) {
        const Time start = std::max(now, free);
        if (!up || static_cast<double>(start - now) * 1e-9 > buffer_s) return false;
        Task& task = pool[id];
        free = start + whole_ns(task.megabits * s_per_megabit);
        task.due = free + propagation;
        queue.push(pool, id);
        return true;
    }

    TaskId depart(TaskPool& pool) {
        const TaskId id = queue.pop(pool);
        carried_mb += pool[id].megabits;
        return id;
    }
};

}  // namespace tiertwin::plant
