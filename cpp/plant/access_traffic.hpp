// What the users of a radio access network send and receive: arrivals of packets, flow by flow, step by step.
//
// Draws and laws are those of PacketSources, keyed by 2 * key of the user + direction; an arrival is a burst of `burst`
// packets of one drawn size.
//
// Costs      1 ns a flow and step, about 50 ns an arrival; some 140 bytes a flow that sends at all.
// Thread     one thread owns it.
#pragma once

#include <cstdint>
#include <vector>

#include "plant/access_air.hpp"
#include "plant/access_config.hpp"
#include "plant/packet_sources.hpp"

namespace tiertwin::plant {

class AccessTraffic {
  public:
    explicit AccessTraffic(const AccessConfig& config);

    // Calls take(const AirArrival&) for everything before `until` that was not taken before, flow by flow.
    template <typename Take>
    void until(Time until, Take take) {
        for (std::size_t i = 0; i < flow_.size(); ++i) {
            while (next_[i].time < until) {
                take(AirArrival{next_[i].time, flow_[i], burst_[i], next_[i].bytes * 8});
                next_[i] = sources_.next(i);
            }
        }
    }

  private:
    std::vector<std::uint32_t> flow_, burst_;
    PacketSources sources_;
    std::vector<PacketSources::Packet> next_;
};

}  // namespace tiertwin::plant
