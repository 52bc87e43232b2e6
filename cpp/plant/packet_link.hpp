// A link that sends whole packets, first in first out: one transmitter, room for `buffer` packets that wait, then
// propagation. Its packets stand in one ring, in order of coming: those on their way (sent or being sent), then those
// that wait.
//
//   transmission time = round(bytes * 8e9 / rate) ns, half up
//   arrival           = start + transmission time + propagation
//
// Thread     one thread owns it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/types.hpp"
#include "plant/packet_events.hpp"

namespace tiertwin::plant {

struct PacketOnLink {
    Time born;
    Time due;              // at the far end, once it is on its way
    PacketEvent::Tag tag;  // of that arrival
    std::uint32_t hop;     // where it is, in the network's list of paths
    std::uint32_t flow;
    std::uint32_t record;  // number among the packets kept
    std::uint32_t bytes;
};

class PacketLink {
  public:
    PacketLink(std::int64_t rate_bps, Time delay, std::int64_t buffer)
        : rate_(static_cast<std::uint64_t>(rate_bps)),
          delay_(delay),
          buffer_(static_cast<std::uint32_t>(buffer)),
          ring_(4) {}

    [[nodiscard]] Time transmission(std::uint32_t bytes) const {
        return static_cast<Time>((std::uint64_t{bytes} * kNsBits * 2 + rate_) / (2 * rate_));
    }

    // Whether the transmitter is free for an event at `now`: its last end is past or, within this ns, was scheduled
    // first.
    [[nodiscard]] bool idle(Time now, PacketEvent::Tag event) const {
        return waiting_ == 0 && (free_ < now || (free_ == now && end_ < event));
    }
    [[nodiscard]] bool full() const { return waiting_ >= buffer_; }
    [[nodiscard]] std::uint32_t waiting() const { return waiting_; }
    [[nodiscard]] std::uint32_t on_way() const { return on_way_; }
    // Its next event: the end of a transmission for which another packet waits, or an arrival at the far end.
    [[nodiscard]] PacketEvent next() const {
        const PacketEvent arrival = on_way_ > 0 ? PacketEvent{ring_[head_].due, ring_[head_].tag} : PacketEvent{};
        const PacketEvent end = waiting_ > 0 ? PacketEvent{free_, end_} : PacketEvent{};
        return end.before(arrival) ? end : arrival;
    }

    void join(const PacketOnLink& packet) {
        if (on_way_ + waiting_ == ring_.size()) grow();
        ring_[(head_ + on_way_ + waiting_) & (ring_.size() - 1)] = packet;
        ++waiting_;
    }

    // The first that waits is sent: `end` and `arrival` are the tags of the transmission's end and of the arrival.
    void start(Time now, PacketEvent::Tag end, PacketEvent::Tag arrival) {
        PacketOnLink& packet = ring_[(head_ + on_way_) & (ring_.size() - 1)];
        const Time spent = transmission(packet.bytes);
        free_ = now + spent;
        end_ = end;
        packet.due = free_ + delay_;
        packet.tag = arrival;
        busy_ += spent;
        ++sent_;
        --waiting_;
        ++on_way_;
    }

    [[nodiscard]] PacketOnLink leave() {
        const PacketOnLink packet = ring_[head_];
        head_ = (head_ + 1) & (ring_.size() - 1);
        --on_way_;
        return packet;
    }

    // Books: ns of transmission up to `now`, transmissions begun, packets dropped, most that waited. `drop` and
    // `queued` count for the caller, who knows what is to be counted.
    [[nodiscard]] Time busy(Time now) const { return busy_ - std::max<Time>(0, free_ - now); }
    [[nodiscard]] std::int64_t sent() const { return sent_; }
    [[nodiscard]] std::int64_t dropped() const { return dropped_; }
    [[nodiscard]] std::int64_t peak() const { return peak_; }
    void drop() { ++dropped_; }
    void note_queue() { peak_ = std::max(peak_, waiting_); }
    // Forgets what was counted up to `now`.
    void reset(Time now) {
        busy_ = std::max<Time>(0, free_ - now);
        sent_ = dropped_ = 0;
        peak_ = waiting_;
    }

  private:
    static constexpr std::uint64_t kNsBits = 8'000'000'000;

    void grow() {
        std::vector<PacketOnLink> larger(2 * ring_.size());
        for (std::size_t i = 0; i < ring_.size(); ++i) larger[i] = ring_[(head_ + i) & (ring_.size() - 1)];
        ring_.swap(larger);
        head_ = 0;
    }

    std::uint64_t rate_;
    Time delay_, free_ = -1, busy_ = 0;
    PacketEvent::Tag end_ = 0;
    std::uint32_t buffer_, waiting_ = 0, on_way_ = 0, peak_ = 0;
    std::size_t head_ = 0;
    std::vector<PacketOnLink> ring_;  // a power of two
    std::int64_t sent_ = 0, dropped_ = 0;
};

}  // namespace tiertwin::plant
