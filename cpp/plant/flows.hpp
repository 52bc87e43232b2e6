// A station shared by flows, in proportion to weights: generalised processor sharing, the fluid ideal of weighted fair
// queueing (Parekh and Gallager 1993). Compute servers (work = gigacycles, `servers` cores of `speed` GHz) and the
// transmitters of links (work = megabits, one server of `speed` Mb/s) are such stations; a flow is a class of a site.
//
//   weight of flow f  w_f = share granted (at most the capacity; an equal part of it while nothing was granted)
//                           + 0.001 * capacity / flows, so that a task under way never starves
//   servers of flow f c_f = min(u_f, level * w_f), level such that they add up to min(servers, sum of u_f): a flow that
//                           cannot use its part leaves the rest to the others, by weight (water-filling)
//   u_f, the servers it can use at most: sharing inside the flow, a task has one at most: its tasks present;
//                           first in first out inside the flow: 1
//
// Two clocks count work instead of seconds. The full clock runs at `speed`; it serves flows that have all they can use.
// The level clock runs at speed * level; it gives a flow that shares w_f of work a unit. Every flow is due at a reading
// of one of them, so an event touches its own flow and those that change clocks, however the pace of the others moves.
// Inside a flow, `service` is what each task present has got (sharing) or the flow (first in first out); a task leaves
// when it reaches its tag.
//
// A task is refused (lost) when the station is down, or when the work present would take longer than `buffer_s` at full
// speed and its flow's own longer than that at the flow's guaranteed speed: a flow that floods a queue drops its own
// tasks, not its neighbours'.
//
// Requires   calls in order of time.   Thread  one thread owns it.   Costs  a task: O(log tasks of its flow + log
// flows), and while servers are short a scan of two numbers a flow present; no allocation once it has seen its longest
// queues.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"
#include "plant/event_tree.hpp"
#include "plant/station.hpp"
#include "plant/tag_heap.hpp"
#include "plant/task.hpp"

namespace tiertwin::plant {

class FlowStation {
  public:
    // `servers` of `speed`, the capacity that shares refer to; `within` a flow: sharing or first in first out (then
    // servers = 1).
    FlowStation(Discipline within, double servers, double speed, double buffer_s, index_t flows);

    // More flows may come from now on; nothing is granted to the new ones yet.
    void grow(Time now, index_t flows);

    // Grants to flows first, first + 1, ...: each >= 0 and finite, in units of work per second; from now on.
    void grant(Time now, index_t first, std::span<const double> shares);

    // Above 0, from now on, tasks present included.
    void set_speed(Time now, double speed);

    // False: refused (down, or buffer full) and nothing changed but the clock.
    [[nodiscard]] bool join(Time now, TaskId task, double work, index_t flow);

    // When the next task leaves; kNever when none is here.
    [[nodiscard]] Time next() const { return next_; }

    // Requires now == next(). The task that leaves; of several due at once, of a flow that has all it can use, and of
    // the lowest number.
    TaskId depart(Time now);

    void set_up(bool up) { up_ = up; }
    [[nodiscard]] bool up() const { return up_; }

    // Everything that is here, forgotten by the station.
    [[nodiscard]] std::vector<TaskId> evict(Time now);

    [[nodiscard]] index_t present() const { return present_; }
    [[nodiscard]] double waiting() const { return std::max(0.0, static_cast<double>(present_) - servers_); }
    [[nodiscard]] double servers() const { return servers_; }
    [[nodiscard]] double speed() const { return speed_; }
    // Integral of busy servers from time 0 to `now`, in server seconds. Looking changes nothing, not even a last digit.
    [[nodiscard]] double busy_s(Time now) const {
        return busy_s_ + busy_servers() * static_cast<double>(now - last_) * 1e-9;
    }

  private:
    struct Clock {
        double reading = 0, pace = 0;  // work, and work per second
        BasicEventTree<double> due;    // by flow
        [[nodiscard]] Time next(Time last) const {
            const double tag = due.top().time;
            return tag < due.kEmpty ? last + whole_ns(std::max(0.0, tag - reading) / pace) : kNever;
        }
    };
    struct Flow {
        double weight = 0;
        double share = -1;  // granted; below 0: never was
        double service = 0;
        double backlog = 0;  // work present
        double tail = 0;     // tag of the last to leave (first in first out)
        double since = 0;    // reading of its clock that `service` and `backlog` belong to
        TagHeap tasks;
        std::size_t place = 0;  // in `active_`
    };
    struct Active {  // what the level depends on, side by side
        double weight, usable;
        std::int32_t flow;
        bool sharing;  // on the level clock
    };

    [[nodiscard]] double busy_servers() const { return std::min(static_cast<double>(usable_), servers_); }
    [[nodiscard]] bool overfull(const Flow& flow) const;
    [[nodiscard]] double level() const;
    void weigh(Time now);
    void advance(Time now);
    void serve(Flow& flow);
    void plan(const Active& active);
    void settle();
    void foresee();
    void move(Active& active, bool sharing);
    void enter(std::int32_t f);
    void leave(std::int32_t f);

    Flow& flow(index_t f) { return flows_[static_cast<std::size_t>(f)]; }
    Clock& clock(const Active& active) { return active.sharing ? level_ : full_; }
    // What a unit of its clock adds to `service`.
    [[nodiscard]] double gain(const Active& active) const;

    Discipline within_;
    bool up_ = true;
    std::uint32_t joins_ = 0;
    double servers_, speed_, buffer_s_, capacity_;
    double weights_ = 0;  // of all flows, present or not
    index_t present_ = 0, usable_ = 0, sharing_ = 0;
    Time last_ = 0, next_ = kNever;
    bool next_sharing_ = false;  // its clock
    double backlog_ = 0, busy_s_ = 0;
    std::vector<Flow> flows_;
    std::vector<Active> active_;  // flows with tasks present, in no order that matters
    Clock full_, level_;
};

}  // namespace tiertwin::plant
