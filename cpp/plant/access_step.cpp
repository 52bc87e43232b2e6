// The end of a step of the radio access network: books, disturbances, sleep, reports.
#include <algorithm>
#include <cmath>
#include <limits>

#include "plant/access.hpp"
#include "radio/sinr.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

CellCount& CellCount::operator-=(const CellCount& o) {
    prbs_down -= o.prbs_down;
    prbs_up -= o.prbs_up;
    steps -= o.steps;
    attaches -= o.attaches;
    handovers -= o.handovers;
    ping_pongs -= o.ping_pongs;
    failures -= o.failures;
    energy_j -= o.energy_j;
    asleep_s -= o.asleep_s;
    active -= o.active;
    return *this;
}

double AccessNetwork::share(std::uint64_t used, std::size_t station) const {
    return static_cast<double>(used) / (static_cast<double>(air_.prbs(station)) * static_cast<double>(config_.step_ms));
}

void AccessNetwork::end_step() {
    note_senders();
    for (std::size_t c = 0; c < states_.size(); ++c) close_books(c);
    reports_.turns(
        step_, [this](std::size_t user, double seconds) { report_user(user, seconds); },
        [this](std::size_t cell) { report_cell(cell); });
    std::size_t kept = 0;
    for (const std::uint32_t s : busy_) {
        air_.clear(s);
        touched_[s] = air_.listed(s).empty() ? 0 : 1;
        if (touched_[s] != 0) busy_[kept++] = s;
    }
    busy_.resize(kept);
    step_start_ = step_end_;
    ++step_;
    open_ = false;
}

// Who sent in this step: active users by cell, and what those that sent up are to the other cells in the next one.
void AccessNetwork::note_senders() {
    for (CellState& state : states_) state.active = 0;
    rates_.clear_up();
    std::size_t last = std::numeric_limits<std::size_t>::max();
    for (const std::uint32_t f : air_.senders()) {
        const std::size_t user = f / kDirections;
        const auto cell = static_cast<std::size_t>(crowd_.serving(user));
        if (user != last) ++states_[cell].active;
        last = user;
        if (f % kDirections == 1) rates_.disturb_up(user, share(air_.flow(f).prbs, kDirections * cell + 1));
    }
    air_.forget_senders();
}

void AccessNetwork::close_books(std::size_t c) {
    CellState& state = states_[c];
    CellCount& count = counts_[c];
    const std::uint64_t down = air_.used(kDirections * c), up = air_.used(kDirections * c + 1);
    const double load = share(down, kDirections * c);
    rates_.set_load_down(c, load);
    const Time asleep = state.asleep ? step_end_ - step_start_
                                     : std::clamp<Time>(state.ready - step_start_, 0, step_end_ - step_start_);
    const double asleep_s = static_cast<double>(asleep) * 1e-9;
    const double step_s = static_cast<double>(config_.step_ms) * 1e-3;
    count.prbs_down += static_cast<std::int64_t>(down);
    count.prbs_up += static_cast<std::int64_t>(up);
    count.steps += 1;
    count.active += state.active;
    count.asleep_s += asleep_s;
    if (crowd_.down(c)) return;  // no power, and nothing that could be idle
    count.energy_j += (state.power.awake(load) - state.power.awake(0.0)) * step_s +
                      state.power.awake(0.0) * (step_s - asleep_s) + state.power.asleep() * asleep_s;
    const bool idle =
        down + up == 0 && air_.listed(kDirections * c).empty() && air_.listed(kDirections * c + 1).empty();
    if (!idle || state.ready > step_end_) state.idle_since = step_end_;
    if (config_.sleep_after_ms > 0 && step_end_ - state.idle_since >= config_.sleep_after_ms * kMillisecond) {
        state.asleep = true;
    }
}

void AccessNetwork::report_user(std::size_t user, double seconds) {
    AirFlow &down = air_.flow(kDirections * user), &up = air_.flow(kDirections * user + 1);
    const std::int32_t cell = crowd_.serving(user);
    const int slot = crowd_.slot(user);
    const Place at = crowd_.place(user);
    const double spent = std::min(seconds, static_cast<double>(step_end_) * 1e-9);  // the first covers less
    const double received = static_cast<double>(down.received) + static_cast<double>(up.received);
    AccessUserRow row{static_cast<double>(cell),
                      kNone,
                      0.0,
                      1e-6 * static_cast<double>(down.received_bits) / spent,
                      1e-6 * static_cast<double>(up.received_bits) / spent,
                      at.x,
                      at.y,
                      received > 0.0 ? (down.delay_ms + up.delay_ms) / received : kNone,
                      static_cast<double>(down.lost) + static_cast<double>(up.lost)};
    if (slot >= 0 && !crowd_.down(static_cast<std::size_t>(cell))) {
        row[1] = crowd_.rsrp(user, links_);
        row[2] = radio::cqi_of(10.0 * std::log10(rates_.sinr_down(user)));
    }
    for (AirFlow* flow : {&down, &up}) {
        flow->received = flow->lost = 0;
        flow->received_bits = 0;
        flow->delay_ms = 0.0;
    }
    reports_.send_user(user, cell < 0 ? -1 : states_[static_cast<std::size_t>(cell)].site, step_end_, step_, row);
}

void AccessNetwork::report_cell(std::size_t c) {
    if (crowd_.down(c)) return;
    CellCount now = counts_[c];
    now -= states_[c].at_report;
    states_[c].at_report = counts_[c];
    const double steps = std::max<double>(1.0, static_cast<double>(now.steps));
    const double blocks =
        steps * static_cast<double>(config_.step_ms) * static_cast<double>(air_.prbs(kDirections * c));
    const double spent = steps * static_cast<double>(config_.step_ms) * 1e-3;
    const AccessCellRow row{static_cast<double>(now.prbs_down) / blocks,
                            static_cast<double>(now.prbs_up) / blocks,
                            now.energy_j / spent,
                            now.energy_j,
                            now.active / steps,
                            static_cast<double>(now.handovers),
                            static_cast<double>(now.failures),
                            now.asleep_s / spent};
    reports_.send_cell(c, states_[c].site, step_end_, step_, row);
}

}  // namespace tiertwin::plant
