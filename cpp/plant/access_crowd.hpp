// The users of a radio access network: where they are, and which cell serves them.
//
//   still     attached once, to the strongest cell; costs nothing a step
//   walking   moved by its zone's Mobility; links are found again after `refresh_m` of movement; event A3, failures
//   led       likewise, but stands where it was put last
//
// Units      m. Order: moves of users in ascending order.   Costs: about 0.2 us a moving user and step, and its links.
// Thread     one thread owns it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "plant/access_config.hpp"
#include "plant/access_links.hpp"
#include "plant/mobility.hpp"
#include "radio/handover.hpp"

namespace tiertwin::plant {

class AccessCrowd {
  public:
    explicit AccessCrowd(const AccessConfig& config);

    // Everybody's links, and cells of those who are still. Once, before the first step.
    void settle(AccessLinks& links);

    // Moves walkers on; finds the links of who moved far enough.
    void move(double seconds, AccessLinks& links);

    // Who serves whom now; `sinr_db` of movers as it was (NaN: not known). Levels are RSRP: power of a resource
    // element.
    const std::vector<radio::MoveEvent>& decide(double time_ms, const AccessLinks& links,
                                                std::span<const double> sinr_db);

    // A cell that is down is heard by nobody. Still users go to their strongest cell that is not: those who did are
    // returned, ascending. Others notice at their next decision.
    std::vector<std::uint32_t> set_down(std::size_t cell, bool down, const AccessLinks& links);
    [[nodiscard]] bool down(std::size_t cell) const { return down_[cell] != 0; }

    // Puts a led user somewhere.
    void lead(std::size_t user, const Place& at);
    void check_lead(std::size_t user, const Place& at) const;  // InvalidArgument: not led, outside the map

    [[nodiscard]] std::span<const std::uint32_t> movers() const { return movers_; }  // users, ascending
    [[nodiscard]] std::int32_t mover_of(std::size_t user) const { return mover_of_[user]; }
    [[nodiscard]] std::int32_t serving(std::size_t user) const { return serving_[user]; }  // cell, or -1
    [[nodiscard]] int slot(std::size_t user) const { return slot_[user]; }  // of that cell among those heard, or -1
    // Of its serving cell, dBm, as it stands now; requires a slot.
    [[nodiscard]] double rsrp(std::size_t user, const AccessLinks& links) const;
    [[nodiscard]] Place place(std::size_t user) const { return {x_[user], y_[user], z_[user]}; }

  private:
    struct Zone {
        double x, y;
        std::vector<std::uint32_t> users;
        std::unique_ptr<Mobility> mobility;
    };
    void make_zones();
    void find_everybody(AccessLinks& links);
    void find_slot(std::size_t user, const AccessLinks& links);
    void attach(std::size_t user, const AccessLinks& links);
    void measure(std::size_t mover, const AccessLinks& links);

    const AccessConfig& config_;
    std::vector<double> x_, y_, z_;
    std::vector<std::int32_t> serving_;
    std::vector<std::int8_t> slot_;
    std::vector<std::int32_t> mover_of_;
    std::vector<char> down_;  // by cell
    std::vector<std::uint32_t> movers_;
    std::vector<double> anchor_x_, anchor_y_, anchor_z_;  // of movers, where their links were found
    std::vector<Zone> zones_;
    std::vector<double> element_db_;      // of cells: share of the power in a resource element
    std::vector<std::int32_t> measured_;  // [movers x measured]
    std::vector<double> rsrp_;            // likewise, dBm
    std::unique_ptr<radio::HandoverTracker> tracker_;
    std::vector<radio::MoveEvent> events_;
    std::vector<std::uint32_t> far_;  // scratch, as the next ones
    std::vector<double> far_x_, far_y_, far_z_;
};

}  // namespace tiertwin::plant
