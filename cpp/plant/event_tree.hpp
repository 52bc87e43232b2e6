// The next event of every station, as a tournament tree: each station has one slot that holds the time of its next
// departure, and the root names the earliest one.
//
// A station's next departure moves whenever a task joins (processor sharing slows everybody down). In an event heap
// each move leaves a stale entry behind; here it overwrites the slot.
//
// Ties       go to the lowest station number, so the order of events is a function of times and numbers alone.
// Costs      `set` climbs until a winner does not change: O(log n) at worst, O(1) typically. `top` is one load.
// Thread     one thread owns it.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::plant {

inline constexpr Time kNever = std::numeric_limits<Time>::max();
// A run ends before 2^53 ns (104 days): every time in it is exact as a double.
inline constexpr Time kHorizon = Time{1} << 53;

// Seconds as whole nanoseconds, rounded up; what lies beyond any run is cut, so that adding it to a time is safe.
[[nodiscard]] inline Time whole_ns(double seconds) {
    return static_cast<Time>(std::ceil(std::min(seconds * 1e9, static_cast<double>(kHorizon))));
}

template <typename When>  // times, or readings of a clock that runs at a pace of its own (flows.hpp)
class BasicEventTree {
  public:
    static constexpr When kEmpty = std::numeric_limits<When>::has_infinity ? std::numeric_limits<When>::infinity()
                                                                           : std::numeric_limits<When>::max();
    struct Slot {
        When time = kEmpty;
        std::int32_t station = 0;
    };

    explicit BasicEventTree(index_t stations)
        : leaves_(std::bit_ceil(static_cast<std::size_t>(stations < 2 ? 2 : stations))), slots_(2 * leaves_) {
        for (std::size_t leaf = 0; leaf < leaves_; ++leaf)
            slots_[leaves_ + leaf].station = static_cast<std::int32_t>(leaf);
        for (std::size_t node = leaves_ - 1; node > 0; --node) slots_[node] = slots_[2 * node];
    }

    [[nodiscard]] const Slot& top() const { return slots_[1]; }

    void set(std::int32_t station, When time) {
        std::size_t node = leaves_ + static_cast<std::size_t>(station);
        slots_[node].time = time;
        while (node > 1) {
            node /= 2;
            const Slot &left = slots_[2 * node], &right = slots_[2 * node + 1];
            const Slot& winner = right.time < left.time ? right : left;
            // Neither the winner nor its time changed: nothing above can change either.
            if (winner.station == slots_[node].station && winner.time == slots_[node].time) return;
            slots_[node] = winner;
        }
    }

  private:
    std::size_t leaves_;
    std::vector<Slot> slots_;  // slots_[1] is the root, slots_[leaves_ + s] belongs to station s
};

using EventTree = BasicEventTree<Time>;

}  // namespace tiertwin::plant
