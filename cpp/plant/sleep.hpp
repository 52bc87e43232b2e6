// Sleep and energy of the base stations of a site. The stations of a site are one pool, like its cells: they work, wait
// and sleep together.
//
//   awake      N (P0 + slope * P_max * share of the cells that are busy) a cell, W (radio/base_station.hpp)
//   asleep     N * P_sleep a cell, once nothing was sent for `after`
//   waking     a task that comes to a sleeping site wakes it; it is awake at once as far as power goes, and takes what
//              came after `wake`
//
// Output power follows the airtime of the uplink here, the only radio load this plant has (ours).
// Nothing is scheduled while a site sleeps or waits: what it used is worked out when somebody asks or comes.
// Thread     one thread owns it.   Costs  a few ns a task.
#pragma once

#include <vector>

#include "base/types.hpp"
#include "plant/event_tree.hpp"
#include "plant/task.hpp"

namespace tiertwin::plant {

struct SleepConfig {
    std::vector<std::int64_t> station;  // kind of each site, by place in radio::base_station
    double after_s = 0;                 // 0: they never sleep
    double wake_s = 0;

    // Throws InvalidArgument naming field, index, value and what was expected.
    void validate() const;
};

class Sleep {
  public:
    Sleep(SleepConfig config, const std::vector<double>& cells);

    // When the next site is awake again.
    [[nodiscard]] Time next() const { return waking_.top().time; }
    // The tasks that waited for it; the site is that of `next`, in number order at the same time.
    [[nodiscard]] std::vector<TaskId> woken(std::size_t& site);

    // A task comes: true if it is held until its site wakes.
    [[nodiscard]] bool hold(Time now, std::size_t site, TaskId task);
    void used(std::size_t site) { sites_[site].idle = kNever; }
    void idle(Time now, std::size_t site) { sites_[site].idle = now; }

    [[nodiscard]] bool asleep(Time now, std::size_t site) const;
    // From time 0 to now, given the busy cell seconds of the site so far.
    [[nodiscard]] double energy_j(Time now, std::size_t site, double busy_s) const;
    [[nodiscard]] double asleep_s(Time now, std::size_t site) const;

  private:
    struct Site {
        double cells = 0, awake_w = 0, per_busy_w = 0, asleep_w = 0;
        Time idle = 0;      // since when nothing is there; kNever: in use
        Time slept = 0;     // before
        Time awake_at = 0;  // of its last waking
        std::vector<TaskId> held;
    };

    Time after_, wake_;
    std::vector<Site> sites_;
    EventTree waking_;
};

}  // namespace tiertwin::plant
