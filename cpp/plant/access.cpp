#include "plant/access.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "plant/event_tree.hpp"

namespace tiertwin::plant {
namespace {

const AccessConfig& valid(const AccessConfig& config) {
    config.validate();
    return config;
}

std::vector<std::uint32_t> prbs_of(const AccessConfig& c) {
    std::vector<std::uint32_t> out;
    for (const std::int64_t prbs : c.cell_prbs) out.insert(out.end(), kDirections, static_cast<std::uint32_t>(prbs));
    return out;
}

std::vector<std::uint8_t> laws_of(const std::vector<CellSecret>& secrets) {
    std::vector<std::uint8_t> out;
    for (const CellSecret& secret : secrets) out.insert(out.end(), kDirections, secret.in_order ? 1 : 0);
    return out;
}

std::vector<std::uint32_t> groups_of(const AccessConfig& c) {
    std::vector<std::uint32_t> out;
    out.reserve(kDirections * c.users());
    for (const std::int64_t k : c.user_class) {
        for (std::size_t d = 0; d < kDirections; ++d)
            out.push_back(static_cast<std::uint32_t>(kDirections * static_cast<std::size_t>(k) + d));
    }
    return out;
}

std::vector<std::uint32_t> buffers_of(const AccessConfig& c) {
    std::vector<std::uint32_t> out = groups_of(c);
    for (std::uint32_t& value : out) value = static_cast<std::uint32_t>(c.flow_buffer[value]);
    return out;
}

std::size_t station_of(std::int32_t cell, std::size_t direction) {
    return kDirections * static_cast<std::size_t>(cell) + direction;
}

Time ns_of_ms(double ms) { return std::llround(ms * 1e6); }

}  // namespace

AccessNetwork::AccessNetwork(const AccessConfig& config)
    : config_(valid(config)),
      chance_(config_.seed),
      secrets_(draw_secrets(config_, chance_)),
      links_(config_, secrets_),
      crowd_(config_),
      rates_(config_, secrets_, links_, crowd_),
      traffic_(config_),
      air_(prbs_of(config_), laws_of(secrets_), groups_of(config_), buffers_of(config_),
           kDirections * config_.classes()),
      reports_(config_, chance_),
      states_(config_.cells()),
      counts_(config_.cells()),
      forgotten_(config_.cells()),
      sinr_db_(crowd_.movers().size(), std::numeric_limits<double>::quiet_NaN()),
      free_at_(config_.users(), 0),
      touched_(kDirections * config_.cells(), 0),
      sends_(kDirections * config_.cells(), 0),
      rated_(kDirections * config_.users(), -1) {
    for (std::size_t c = 0; c < states_.size(); ++c) {
        const double watts = 1e-3 * std::pow(10.0, 0.1 * config_.cell_power_dbm[c]);
        states_[c].site = static_cast<std::int32_t>(config_.cell_site[c]);
        states_[c].power = {static_cast<double>(config_.cell_chains[c]), config_.cell_idle_w[c], config_.cell_slope[c],
                            config_.cell_sleep_w[c], watts};
    }
    if (config_.record) air_.keep_records();
    crowd_.settle(links_);
    for (std::size_t u = 0; u < config_.users(); ++u) {
        if (crowd_.serving(u) < 0) continue;
        for (std::size_t d = 0; d < kDirections; ++d) {
            air_.move(kDirections * u + d, static_cast<std::int32_t>(station_of(crowd_.serving(u), d)));
        }
        ++counts_[static_cast<std::size_t>(crowd_.serving(u))].attaches;
    }
}

// -- time
// --------------------------------------------------------------------------------------------------------------

void AccessNetwork::run_until(Time until) {
    if (until < now_ || until > kHorizon) {
        throw InvalidArgument("until: expected a time in ns from now, " + std::to_string(now_) + ", to " +
                              std::to_string(kHorizon) + ", got " + std::to_string(until));
    }
    while (now_ < until) {
        if (!open_) begin_step();
        const Time to = std::min(until, step_end_);
        for (const std::uint32_t s : busy_) air_.play(s, to);
        now_ = tasks_now_ = to;
        if (now_ == step_end_) end_step();
    }
}

void AccessNetwork::begin_step() {
    open_ = true;
    moved_.clear();
    step_end_ = step_start_ + config_.step();
    if (step_ > 0) crowd_.move(static_cast<double>(config_.step_ms) * 1e-3, links_);
    change_cells();
    hand_over();
    for (std::size_t m = 0; m < sinr_db_.size(); ++m) {
        const double sinr = rates_.sinr_down(crowd_.movers()[m]);
        sinr_db_[m] = sinr > 0.0 ? 10.0 * std::log10(sinr) : std::numeric_limits<double>::quiet_NaN();
    }
    bring_arrivals();
    bring_returns();
    for (const std::uint32_t s : busy_) air_.sort(s);
    use_rates();
    wake_cells();
    for (const std::uint32_t s : sending_) sends_[s] = 0;
    sending_.clear();
    for (const std::uint32_t s : busy_) {
        if (s % kDirections == 1 && !air_.idle(s)) expect_sending(s);
    }
}

// -- who is where
// ------------------------------------------------------------------------------------------------------

void AccessNetwork::change_cells() {
    for (const Change& change : changes_) {
        if (crowd_.down(change.cell) == change.down) continue;
        for (const std::uint32_t user : crowd_.set_down(change.cell, change.down, links_)) {
            counts_[change.cell].failures += change.down ? 1 : 0;
            if (crowd_.serving(user) >= 0) ++counts_[static_cast<std::size_t>(crowd_.serving(user))].attaches;
            move(user, crowd_.serving(user), config_.reestablish_ms);
        }
    }
    changes_.clear();
}

void AccessNetwork::set_down(std::span<const std::int64_t> cells, bool down) {
    const auto count = static_cast<std::int64_t>(config_.cells());
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (cells[i] >= 0 && cells[i] < count) continue;
        throw InvalidArgument("cells[" + std::to_string(i) + "]: expected a cell from 0 to " +
                              std::to_string(count - 1) + ", got " + std::to_string(cells[i]));
    }
    for (const std::int64_t cell : cells) changes_.push_back({static_cast<std::size_t>(cell), down});
}

void AccessNetwork::hand_over() {
    const double time_ms = static_cast<double>(step_start_) * 1e-6;
    for (const radio::MoveEvent& event : crowd_.decide(time_ms, links_, sinr_db_)) {
        if (event.move == radio::Move::attach) {
            ++counts_[static_cast<std::size_t>(event.to)].attaches;
            move(event.user, event.to, 0.0);
        } else if (event.move == radio::Move::handover) {
            CellCount& count = counts_[static_cast<std::size_t>(event.to)];
            ++count.handovers;
            count.ping_pongs += event.ping_pong ? 1 : 0;
            move(event.user, event.to, config_.interruption_ms);
        } else {
            ++counts_[static_cast<std::size_t>(event.from)].failures;
            move(event.user, event.to, config_.reestablish_ms);
        }
    }
}

void AccessNetwork::move(std::size_t user, std::int32_t cell, double held_ms) {
    moved_.push_back(static_cast<std::uint32_t>(user));
    if (held_ms > 0.0) {
        free_at_[user] = step_start_ + ns_of_ms(held_ms);
        returns_.push_back({free_at_[user], static_cast<std::uint32_t>(user)});
    }
    for (std::size_t d = 0; d < kDirections; ++d) {
        const std::size_t flow = kDirections * user + d;
        if (held_ms > 0.0) air_.hold(flow);
        if (cell < 0) {
            air_.move(flow, kNoStation);
            continue;
        }
        air_.move(flow, static_cast<std::int32_t>(station_of(cell, d)));
        touch(station_of(cell, d));
    }
}

void AccessNetwork::bring_returns() {
    std::erase_if(returns_, [this](const Return& back) {
        if (back.time >= step_end_) return false;
        if (back.time != free_at_[back.user]) return true;  // interrupted again since
        for (std::size_t d = 0; d < kDirections; ++d) {
            const std::size_t flow = kDirections * back.user + d;
            const std::int32_t station = air_.flow(flow).station;
            if (station == kNoStation) {
                air_.flow(flow).held = false;
                continue;
            }
            air_.arrive(static_cast<std::size_t>(station), {back.time, static_cast<std::uint32_t>(flow), 0, 0});
            touch(static_cast<std::size_t>(station));
        }
        return true;
    });
}

void AccessNetwork::lead(std::span<const std::int64_t> users, std::span<const double> places) {
    if (places.size() != 3 * users.size()) {
        throw InvalidArgument("places: expected x, y and z of " + std::to_string(users.size()) + " users, got " +
                              std::to_string(places.size()) + " numbers");
    }
    const auto user_at = [&](std::size_t i) {
        if (users[i] < 0) throw InvalidArgument("users[" + std::to_string(i) + "]: expected a user of 0 or more");
        return static_cast<std::size_t>(users[i]);
    };
    const auto at = [&](std::size_t i) { return Place{places[3 * i], places[3 * i + 1], places[3 * i + 2]}; };
    for (std::size_t i = 0; i < users.size(); ++i) crowd_.check_lead(user_at(i), at(i));
    for (std::size_t i = 0; i < users.size(); ++i) crowd_.lead(user_at(i), at(i));
}

// -- what there is to send
// ---------------------------------------------------------------------------------------------

void AccessNetwork::touch(std::size_t station) {
    if (touched_[station] != 0) return;
    touched_[station] = 1;
    busy_.push_back(static_cast<std::uint32_t>(station));
}

void AccessNetwork::bring_arrivals() {
    traffic_.until(step_end_, [this](const AirArrival& arrival) {
        const std::int32_t station = air_.flow(arrival.flow).station;
        if (station == kNoStation) return air_.wait(arrival);
        air_.arrive(static_cast<std::size_t>(station), arrival);
        touch(static_cast<std::size_t>(station));
    });
}

void AccessNetwork::use_rates() {
    for (const std::uint32_t s : busy_) {
        for (const std::uint32_t flow : air_.listed(s)) use_rate(flow);
        for (const AirArrival& arrival : air_.arrivals(s)) use_rate(arrival.flow);
    }
}

void AccessNetwork::use_rate(std::size_t flow) {
    if (rated_[flow] == step_) return;
    rated_[flow] = step_;
    const std::size_t user = flow / kDirections;
    const PrbRate rate = flow % kDirections == 0 ? rates_.down(user) : rates_.up(user);
    air_.set_rate(flow, rate.bits, rate.most);
}

void AccessNetwork::wake_cells() {
    const auto first_of = [this](std::size_t s) {
        if (!air_.listed(s).empty()) return step_start_;
        return air_.arrivals(s).empty() ? kNever : air_.arrivals(s).front().time;
    };
    for (const std::uint32_t s : busy_) {
        const std::size_t cell = s / kDirections;
        if (!states_[cell].asleep) continue;
        const Time first = std::min(first_of(kDirections * cell), first_of(kDirections * cell + 1));
        if (first == kNever) continue;
        wake(cell, first);
    }
}

void AccessNetwork::wake(std::size_t cell, Time first) {
    states_[cell].asleep = false;
    states_[cell].ready = first + config_.wake_ms * kMillisecond;
    for (std::size_t d = 0; d < kDirections; ++d) air_.set_ready(kDirections * cell + d, states_[cell].ready);
}

void AccessNetwork::set_sleep(std::int64_t after_ms) {
    if (after_ms < 0 || after_ms > 86'400'000) {
        throw InvalidArgument("after_ms: expected 0 (never) to 86400000 ms, got " + std::to_string(after_ms));
    }
    config_.sleep_after_ms = after_ms;
    if (after_ms > 0) return;
    for (std::size_t c = 0; c < states_.size(); ++c) {
        if (states_[c].asleep) wake(c, now_);
    }
}

std::vector<CellCount> AccessNetwork::cell_counts() const {
    std::vector<CellCount> out = counts_;
    for (std::size_t c = 0; c < out.size(); ++c) out[c] -= forgotten_[c];
    return out;
}

void AccessNetwork::forget_counts() {
    forgotten_ = counts_;
    air_.forget_counts();
}

}  // namespace tiertwin::plant
