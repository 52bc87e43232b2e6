// The users of a plant under a radio access network: where each one is at home, what groups they form, and how their
// tasks go over the air.
//
//   upload   a task goes up as packets of at most 1250 bytes, all of one size, at its own time; it leaves the air with
//            the slot of its last packet, and is lost then if one of them found no room
//   airtime  of a task: blocks it took / blocks of the cell a second
//   home     site: of the serving cell, the one before it where there is none. Ring: whose rate is nearest, by its
//            logarithm, to `mbps`; the slowest where nothing is heard. At the start every user is at its planned site
//            in ring 0 until the first step; then those who moved to another cell find their home at once, as the step
//            begins, those who walk once a second, and keep their ring until another is nearer by 10 %,
//            those who stand still when they changed cells
//   mbps     what the whole cell would carry up for the user: bits of a block * blocks of the cell, a slot, under the
//            loads of the step; 0: cannot be heard. Of those who walk, the mean of 1/mbps over about a second, since
//            the disturbance of a step is none of the next; begun anew in another cell
//   group    (site, class, ring) of the home. Its set-point draws the tiers of who is in it, its books count what
//            happens to who is in it then. A task belongs, for the KPIs, to the group in which it was born, and enters
//            the network at the home of its user when it leaves the air
//   report   of a site, each period, a row for each of its groups, of those users who are not unseen: as a device's,
//            summed; cpu_load over the time of its users; radio_mbps is the harmonic mean over those heard now, NaN
//            without any; `users` is how many it has now. One delay, fate and clock a site, noise of its own a group.
//            With it, of the site's cells: share of blocks used up, mean and of the busiest; power, W; handovers in
//
// Events     at the end of each slot while a task is in the air, else of each step: what is done leaves, by user, each
//            one's own as they were sent; then the next step begins, and homes are found.
// Units      ns, Mb/s.   Costs: 50 ns a mover and second, and a user and report; a few ns a group and report.
// Thread     the plant's.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "plant/access.hpp"
#include "plant/chance.hpp"
#include "plant/config.hpp"
#include "plant/task.hpp"
#include "plant/telemetry.hpp"

namespace tiertwin::plant {

inline constexpr double kPacketBits = 10'000.0;

inline constexpr double kStayInRing = 0.09531;  // log 1.1

struct GroupBook {  // since the last report of its site
    Counts counts;
    Time cpu = 0, present = 0;  // ns: work of its users' own processors, time they were there
};

struct PlantUsers {
    PlantUsers(const Config& config, const AccessConfig& access, const Chance& chance);

    [[nodiscard]] Counts& counts(std::int32_t group, bool unseen) {
        return unseen ? nobody : books[static_cast<std::size_t>(group)].counts;
    }
    [[nodiscard]] double mbps(std::size_t user) const {
        const std::int32_t cell = network.crowd().serving(user);
        if (cell < 0) return 0.0;
        const std::int64_t prbs = network.config().cell_prbs[static_cast<std::size_t>(cell)];
        return static_cast<double>(prbs) * network.rates().up(user).bits * 1e-3;
    }
    // Of a walker over the last second, of others now.
    [[nodiscard]] double usual_mbps(std::size_t user) const {
        if (network.crowd().serving(user) < 0) return 0.0;
        return slow[user] > 0.0 ? 1.0 / slow[user] : mbps(user);
    }
    void follow(std::size_t user);  // a walker, each step
    [[nodiscard]] std::int32_t ring_of(double mbps) const;
    [[nodiscard]] std::int32_t ring_of(double mbps, std::int32_t now) const;
    void put(std::size_t user, std::int32_t site);  // among those of a site
    void take(std::size_t user, std::int32_t site);

    AccessNetwork network;
    std::int64_t in_air = 0;  // tasks
    std::int64_t steps = 0, steps_a_second;
    std::vector<std::array<std::int64_t, kTiers>> threshold;  // by group
    std::vector<GroupBook> books;                             // likewise
    Counts nobody;                                            // of the unseen: never looked at
    std::vector<std::vector<std::uint32_t>> of_site;          // users seen
    std::vector<std::uint32_t> place;                         // of a user in its site's list
    std::vector<double> log_ring_mbps;
    std::vector<double> slow;                          // s/Mb, of walkers; 0: nothing heard yet
    std::vector<Time> clock, reported;                 // by site
    std::vector<std::vector<std::uint32_t>> cells_of;  // by site
    std::vector<CellCount> cell_at_report;
    std::vector<Report<kGroupAttributes>> reports;
    std::vector<Report<kBaseStationAttributes>> station_reports;
};

}  // namespace tiertwin::plant
