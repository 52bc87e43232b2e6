// A radio access network: users that move, attach, hand over and share resource blocks, down and up, packet by packet.
// It is a physical side: it holds the truth (access_secrets.hpp) and shows it through telemetry alone.
//
//   a step (100 ms)  everybody moves -> levels, event A3, failures -> SINR under the loads of the step before -> rates
//   its slots (1 ms) arrivals wait at user or cell, blocks are dealt in turn, packets are received or lost
//   its end          loads, interference up, energy, sleep, reports
//
//   attach     still users once, to the strongest cell; others by HandoverTracker. Packets go along to the new cell;
//   after
//              a handover none is sent for `interruption_ms`, after a failure for `reestablish_ms`
//   failure    a cell that is down is silent, draws nothing and reports nothing. Still users go to another one at once
//              (`reestablish_ms`), the others after a radio-link failure
//   sleep      a cell idle for `sleep_after_ms` sleeps until a packet comes for it, and sends `wake_ms` after that
//
// Modelled: propagation by TR 38.901, sectors, interference by load, mobility, handover, blocks, queues, losses,
// energy. Abstracted: fading is in the efficiency; loads disturb as means over a step; a sleeping cell is still heard
// by those who measure. Not modelled: retransmissions, control channels, several antennas' streams, backhaul
// (packet_network.hpp).
//
// Order      one seed, same calls: the same to the last bit, however run_until is cut. Draws belong to cells and to
// keys
//            of users.
// Time       whole nanoseconds from 0 to 2^53; what is before `until` has happened.
// Costs      still users without packets: 1 ns a step and direction; users that move about 1 us a step; a packet some
// ns.
//            About 0.4 KB a user.
// Thread     one thread owns it.
#pragma once

#include <span>
#include <vector>

#include "plant/access_air.hpp"
#include "plant/access_config.hpp"
#include "plant/access_crowd.hpp"
#include "plant/access_energy.hpp"
#include "plant/access_links.hpp"
#include "plant/access_rates.hpp"
#include "plant/access_reports.hpp"
#include "plant/access_secrets.hpp"
#include "plant/access_traffic.hpp"

namespace tiertwin::plant {

// Books of a cell.
struct CellCount {
    std::int64_t prbs_down = 0, prbs_up = 0;                                            // used
    std::int64_t steps = 0, attaches = 0, handovers = 0, ping_pongs = 0, failures = 0;  // handovers in, failures out
    double energy_j = 0.0, asleep_s = 0.0, active = 0.0;  // active: users summed over steps
    CellCount& operator-=(const CellCount& other);
};

class AccessNetwork {
  public:
    explicit AccessNetwork(const AccessConfig& config);
    AccessNetwork(const AccessNetwork&) = delete;  // its parts refer to each other
    AccessNetwork& operator=(const AccessNetwork&) = delete;

    // Everything before `until`. Requires now() <= until <= 2^53.
    void run_until(Time until);
    [[nodiscard]] Time now() const { return now_; }
    [[nodiscard]] const AccessConfig& config() const { return config_; }

    // -- what may be set, from the next step on ----------------------------------------------------------------------
    void lead(std::span<const std::int64_t> users, std::span<const double> places);  // [k], [k x 3]; all or nothing
    void set_sleep(std::int64_t after_ms);                                           // 0: cells that sleep wake up

    void set_down(std::span<const std::int64_t> cells, bool down);  // fails or repairs them; all or nothing

    // -- tasks of somebody else's, on top of the traffic drawn here --------------------------------------------------
    // Opens the step that begins now; false: one is open already.
    bool open();
    // So many packets of `bits` each go up from `time` on, which requires that it is in the open step, and not before
    // what was played of tasks. A cell that sleeps wakes from then on, as for any packet. The tag is not kNoTag; see
    // Air::finished.
    void send_up(std::size_t user, std::uint32_t packets, std::uint32_t bits, std::uint32_t tag, Time time);
    // Plays the stations that have something to send up, and no others, to `until`, not beyond the open step: enough to
    // know the tasks that are over by then. The rest follows with run_until, to the same end.
    void run_tasks(Time until);
    [[nodiscard]] Time step_end() const { return open_ ? step_end_ : step_start_ + config_.step(); }
    [[nodiscard]] std::span<const std::uint32_t> moved() const { return moved_; }  // users, as the step began

    // -- what may be seen --------------------------------------------------------------------------------------------
    [[nodiscard]] Batch<kAccessUserAttributes> take_user_reports(Time until) { return reports_.take_users(until); }
    [[nodiscard]] Batch<kAccessCellAttributes> take_cell_reports(Time until) { return reports_.take_cells(until); }

    // -- results, since they were forgotten last; twins never see them -----------------------------------------------
    [[nodiscard]] Air& air() { return air_; }
    [[nodiscard]] const Air& air() const { return air_; }
    [[nodiscard]] std::vector<CellCount> cell_counts() const;
    [[nodiscard]] const CellCount& count(std::size_t cell) const { return counts_[cell]; }  // since the start
    void forget_counts();

    // -- the truth, for tests and studies ----------------------------------------------------------------------------
    [[nodiscard]] const AccessCrowd& crowd() const { return crowd_; }
    [[nodiscard]] const AccessLinks& links() const { return links_; }
    [[nodiscard]] const AccessRates& rates() const { return rates_; }
    [[nodiscard]] const AccessReports& reports() const { return reports_; }
    [[nodiscard]] std::span<const CellSecret> secrets() const { return secrets_; }
    [[nodiscard]] bool asleep(std::size_t cell) const { return states_[cell].asleep; }

  private:
    struct CellState {
        bool asleep = false;
        Time ready = 0;       // sends from then on
        Time idle_since = 0;  // nothing was sent since
        std::uint32_t active = 0;
        std::int32_t site = 0;
        CellPower power;
        CellCount at_report;
    };
    struct Change {
        std::size_t cell;
        bool down;
    };
    struct Return {  // a user that may be sent again
        Time time;
        std::uint32_t user;
    };

    void begin_step();
    void change_cells();
    void hand_over();
    void bring_arrivals();
    void bring_returns();
    void use_rates();
    void use_rate(std::size_t flow);
    void wake_cells();
    void end_step();
    void note_senders();
    void close_books(std::size_t cell);
    void report_user(std::size_t user, double seconds);
    void report_cell(std::size_t cell);
    void touch(std::size_t station);
    void expect_sending(std::size_t station);
    void wake(std::size_t cell, Time first);
    void move(std::size_t user, std::int32_t cell, double held_ms);
    [[nodiscard]] double share(std::uint64_t used, std::size_t station) const;  // of a step's blocks

    AccessConfig config_;
    Chance chance_;
    std::vector<CellSecret> secrets_;
    AccessLinks links_;
    AccessCrowd crowd_;
    AccessRates rates_;
    AccessTraffic traffic_;
    Air air_;
    AccessReports reports_;
    std::vector<CellState> states_;
    std::vector<CellCount> counts_, forgotten_;  // since the start; what of it was forgotten
    std::vector<double> sinr_db_;                // of movers
    std::vector<Return> returns_;
    std::vector<Change> changes_;  // from the next step on
    std::vector<Time> free_at_;    // of users, end of the interruption that holds now
    std::vector<std::uint32_t> moved_;
    std::vector<std::uint32_t> busy_;     // stations with packets in this step
    std::vector<std::uint32_t> sending_;  // stations up that have, or expect, packets
    std::vector<char> touched_, sends_;   // by station: it is in busy_, in sending_
    std::vector<std::int64_t> rated_;     // by flow, the step for which its rate holds
    Time now_ = 0, tasks_now_ = 0, step_start_ = 0, step_end_ = 0;
    std::int64_t step_ = 0;
    bool open_ = false;
};

}  // namespace tiertwin::plant
