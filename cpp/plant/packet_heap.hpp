// The next events of a network of packets: a 4-ary heap of 16-byte entries, four children to a cache line.
//
// An entry is (time, order, station). `order` counts the events in the order in which they were scheduled, and among
// events of one nanosecond the one scheduled first comes first: the rule of ns-3's schedulers.
//
// Use        `take` leaves a hole at the top, the first `push` fills it, `settle` closes it if nothing did. An event
// that
//            leads to one other event, as most do, thus costs one way down the heap.
// Costs      a way down: log4(n) times the least of four, without a branch between them.
// Thread     one thread owns it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::plant {

class PacketHeap {
  public:
    static constexpr unsigned kStationBits = 24;
    static constexpr std::size_t kMostStations = std::size_t{1} << kStationBits;
    static constexpr std::uint64_t kMostOrders = std::uint64_t{1} << (64 - kStationBits);

    // Order and station in one number, which sorts as the order does.
    using Tag = std::uint64_t;
    static constexpr Tag tag(std::uint64_t order, std::size_t station) { return order << kStationBits | station; }

    struct Entry {
        Time time = std::numeric_limits<Time>::max();
        Tag tag = std::numeric_limits<Tag>::max();

        [[nodiscard]] std::size_t station() const { return tag & (kMostStations - 1); }
        // Compared as one number, without a branch: which of two events comes first cannot be foreseen.
        [[nodiscard]] bool before(const Entry& other) const { return key() < other.key(); }
        [[nodiscard]] unsigned __int128 key() const {
            return static_cast<unsigned __int128>(static_cast<std::uint64_t>(time)) << 64 | tag;
        }
    };

    PacketHeap() : groups_(2) {}

    [[nodiscard]] bool empty() const { return size_ == 0; }
    // The first event; Time::max() when there is none.
    [[nodiscard]] const Entry& top() const { return at(0); }

    // Takes the first event; requires !empty(), and `settle` before the next one.
    void take() { hole_ = true; }

    void push(Entry entry) {
        if (hole_) {
            hole_ = false;
            sink(entry);
        } else {
            rise(entry);
        }
    }

    void settle() {
        if (!hole_) return;
        hole_ = false;
        const Entry last = at(--size_);
        at(size_) = Entry{};
        if (size_ > 0) sink(last);
    }

  private:
    // Entry k stands at k + 3, so that the children of k, 4k + 1 to 4k + 4, fill group k + 1.
    struct alignas(64) Group {
        Entry entry[4];
    };
    [[nodiscard]] Entry& at(std::size_t k) { return groups_[(k + 3) / 4].entry[(k + 3) % 4]; }
    [[nodiscard]] const Entry& at(std::size_t k) const { return groups_[(k + 3) / 4].entry[(k + 3) % 4]; }

    void rise(const Entry& entry) {
        std::size_t k = size_++;
        if ((size_ + 3) / 4 >= groups_.size()) groups_.resize(2 * groups_.size());
        while (k > 0) {
            const std::size_t parent = (k - 1) / 4;
            if (!entry.before(at(parent))) break;
            at(k) = at(parent);
            k = parent;
        }
        at(k) = entry;
    }

    // Puts `entry` at the top and lets it sink. Places behind the last entry hold Time::max().
    void sink(const Entry& entry) {
        std::size_t k = 0;
        while (4 * k + 1 < size_) {
            const Entry* const child = groups_[k + 1].entry;
            const std::size_t left = child[1].before(child[0]), right = 2 + std::size_t{child[3].before(child[2])};
            const std::size_t least = left ^ ((left ^ right) & (0 - std::size_t{child[right].before(child[left])}));
            if (!child[least].before(entry)) break;
            at(k) = child[least];
            k = 4 * k + 1 + least;
        }
        at(k) = entry;
    }

    std::vector<Group> groups_;
    std::size_t size_ = 0;
    bool hole_ = false;
};

}  // namespace tiertwin::plant
