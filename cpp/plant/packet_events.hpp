// The next event of every station of a network of packets, as a tournament tree: a station has one leaf, and the root
// is the event that comes first.
//
// An event is (time, order, station). `order` counts the events in the order in which they were scheduled, and among
// events of one nanosecond the one scheduled first comes first: the rule of ns-3's schedulers.
//
// Costs      `set` walks from a leaf to the root, log2(stations) times the lesser of two without a branch. All
// addresses on
//            the way are known before it starts, so the processor overlaps its loads; in a 4-ary heap each step waits
//            for the comparison before it (measured: as fast where few packets wait, an eighth slower where many do).
// Thread     one thread owns it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::plant {

struct PacketEvent {
    static constexpr unsigned kStationBits = 24;
    static constexpr std::size_t kMostStations = std::size_t{1} << kStationBits;
    static constexpr std::uint64_t kMostOrders = std::uint64_t{1} << (64 - kStationBits);

    // Order and station in one number, which sorts as the order does.
    using Tag = std::uint64_t;
    static constexpr Tag make_tag(std::uint64_t order, std::size_t station) { return order << kStationBits | station; }

    Time time = std::numeric_limits<Time>::max();  // as it stands: never
    Tag tag = std::numeric_limits<Tag>::max();

    [[nodiscard]] bool never() const { return time == std::numeric_limits<Time>::max(); }
    [[nodiscard]] std::size_t station() const { return tag & (kMostStations - 1); }
    // Compared as one number, without a branch: which of two events comes first cannot be foreseen.
    [[nodiscard]] bool before(const PacketEvent& other) const { return key() < other.key(); }

  private:
    [[nodiscard]] unsigned __int128 key() const {
        return static_cast<unsigned __int128>(static_cast<std::uint64_t>(time)) << 64 | tag;
    }
};

class PacketEvents {
  public:
    explicit PacketEvents(std::size_t stations)
        : leaves_(std::bit_ceil(std::max<std::size_t>(stations, 2))), nodes_(2 * leaves_) {}

    // Never, when there is none.
    [[nodiscard]] const PacketEvent& top() const { return nodes_[1]; }

    // The station's next event, in place of the one it had.
    void set(std::size_t station, PacketEvent event) {
        std::size_t node = leaves_ + station;
        nodes_[node] = event;
        for (; node > 1; node /= 2) {
            const PacketEvent other = nodes_[node ^ 1];
            const std::uint64_t first = 0 - std::uint64_t{other.before(event)};  // all bits, or none
            event.time ^= (event.time ^ other.time) & static_cast<Time>(first);
            event.tag ^= (event.tag ^ other.tag) & first;
            nodes_[node / 2] = event;
        }
    }

  private:
    std::size_t leaves_;
    std::vector<PacketEvent> nodes_;  // 1 the root, leaves_ + s the leaf of station s
};

}  // namespace tiertwin::plant
