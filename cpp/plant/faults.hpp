// What may be injected into a plant from outside: parts that fail or get worse at a given time, whatever else ails
// them.
//
//   link     down; a share of its capacity; a share of the tasks and frames over it that is lost on the way
//   server   down; a share of its speed
//   site     silent: nothing that stands there is heard; without radio access: its cells take no uploads
//
// A lossy link delivers a task with probability 1 - loss, drawn by (link, number of the task over it). Its receiver
// counts frames and bad ones, of tasks and background alike: frames = megabits / 0.012, bad ~ Poisson(frames * loss),
// and as it normal above a mean of 50. A server knows how long each task took over what it would need alone on a
// whole core: the least of these ratios tells how fast the server is, however long its queues were.
//
// Counters go with the ordinary report of the link or server: as late, and lost with it; what a lost one would have
// told is gone. A plant without faults draws nothing, counts nothing and reports nothing of this.
#pragma once

#include <cstdint>
#include <vector>

#include "plant/telemetry.hpp"

namespace tiertwin::plant {

// Links: frames, bad frames, tasks lost. Servers: least and mean response over need (NaN: no task done), tasks done.
inline constexpr std::size_t kCounterAttributes = 3;
static_assert(kCounterAttributes == kServerAttributes);  // reports of one width are one type
inline constexpr double kFrameMb = 0.012;                // 1 500 bytes

struct Faults {
    struct OnLink {  // directed
        double capacity = 1.0, loss = 0.0;
        double clear_mbps = 0.0;  // capacity without the fault, as the weather leaves it
        std::uint32_t crossed = 0;
        double lost = 0.0;  // tasks, since the last report
    };
    struct OnServer {
        double speed = 1.0;
        double least = 0.0, sum = 0.0, tasks = 0.0;  // since the last report
    };
    std::vector<OnLink> links;
    std::vector<OnServer> servers;
    std::vector<char> silent, deaf;  // by site; deaf: its cells take nothing, and its devices are not heard
    std::vector<Report<kCounterAttributes>> link_counters, server_counters;
};

}  // namespace tiertwin::plant
