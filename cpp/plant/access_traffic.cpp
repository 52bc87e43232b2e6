#include "plant/access_traffic.hpp"

#include "plant/event_tree.hpp"

namespace tiertwin::plant {
namespace {

// Group of flow 2u + d: 2k + d of its user's class k.
std::size_t group_of(const AccessConfig& c, std::size_t flow) {
    return kDirections * static_cast<std::size_t>(c.user_class[flow / kDirections]) + flow % kDirections;
}

std::vector<std::uint32_t> flows_that_send(const AccessConfig& c) {
    std::vector<std::uint32_t> flows;
    for (std::size_t f = 0; f < kDirections * c.users(); ++f) {
        if (c.flow_pps[group_of(c, f)] > 0.0) flows.push_back(static_cast<std::uint32_t>(f));
    }
    return flows;
}

PacketConfig sources_of(const AccessConfig& c, const std::vector<std::uint32_t>& flows) {
    PacketConfig p;
    p.seed = c.seed;
    p.stop_ns = kHorizon;
    p.flow_phase_ns.assign(flows.size(), -1);
    for (const std::uint32_t f : flows) {
        const std::size_t group = group_of(c, f);
        p.flow_key.push_back(2 * c.user_key[f / kDirections] + static_cast<std::int64_t>(f % kDirections));
        p.flow_arrival.push_back(c.flow_arrival[group]);
        p.flow_size.push_back(c.flow_size[group]);
        p.flow_bytes.push_back(c.flow_bytes[group]);
        p.flow_pps.push_back(c.flow_pps[group]);
        p.flow_on_s.push_back(c.flow_on_s[group]);
        p.flow_off_s.push_back(c.flow_off_s[group]);
    }
    return p;
}

}  // namespace

AccessTraffic::AccessTraffic(const AccessConfig& config)
    : flow_(flows_that_send(config)), sources_(sources_of(config, flow_)) {
    burst_.reserve(flow_.size());
    next_.reserve(flow_.size());
    for (std::size_t i = 0; i < flow_.size(); ++i) {
        burst_.push_back(static_cast<std::uint32_t>(config.flow_burst[group_of(config, flow_[i])]));
        next_.push_back(sources_.next(i));
    }
}

}  // namespace tiertwin::plant
