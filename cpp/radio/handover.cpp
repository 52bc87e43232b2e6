#include "radio/handover.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kSampleMs = 200.0;  // the spacing that filter coefficients are stated for

void expect_rule(bool good, const char* wanted, double came) {
    if (!good) throw InvalidArgument(std::string("handover: expected ") + wanted + ", got " + std::to_string(came));
}

void check_rules(const HandoverRules& r) {
    expect_rule(r.hysteresis >= 0.0 && r.hysteresis <= 15.0, "a hysteresis of 0 to 15 dB", r.hysteresis);
    expect_rule(std::abs(r.offset) <= 15.0, "an offset of -15 to 15 dB", r.offset);
    expect_rule(r.trigger_ms >= 0.0 && r.trigger_ms <= 5120.0, "a time-to-trigger of 0 to 5120 ms", r.trigger_ms);
    expect_rule(r.filter_k >= 0.0 && r.filter_k <= 19.0, "a filter coefficient of 0 to 19", r.filter_k);
    expect_rule(std::isfinite(r.out) && std::isfinite(r.in) && r.out <= r.in, "Qout not above Qin", r.out);
    expect_rule(r.t310_ms >= 0.0 && std::isfinite(r.t310_ms), "T310 of 0 ms or more", r.t310_ms);
    expect_rule(r.ping_pong_ms >= 0.0 && std::isfinite(r.ping_pong_ms), "a ping-pong time of 0 ms or more",
                r.ping_pong_ms);
}

}  // namespace

HandoverTracker::HandoverTracker(index_t users, index_t slots, const HandoverRules& rules)
    : rules_(rules), slots_(slots) {
    expect_rule(users >= 1 && users <= 0xffff'ffffLL, "1 to 2^32 - 1 users", static_cast<double>(users));
    expect_rule(slots >= 1 && slots <= 64, "1 to 64 slots", static_cast<double>(slots));
    check_rules(rules);
    const auto n = static_cast<std::size_t>(users), k = static_cast<std::size_t>(slots);
    state_.resize(n * k);
    fresh_.resize(k);
    history_.resize(n);
    serving_.assign(n, kNoCell);
}

void HandoverTracker::check(double time_ms, std::span<const std::int32_t> cells, std::span<const double> rsrp,
                            std::span<const double> sinr) const {
    if (cells.size() != state_.size() || rsrp.size() != state_.size() || sinr.size() != serving_.size()) {
        throw InvalidArgument("handover: expected " + std::to_string(state_.size()) + " cells and levels and " +
                              std::to_string(serving_.size()) + " SINRs, got " + std::to_string(cells.size()) + ", " +
                              std::to_string(rsrp.size()) + " and " + std::to_string(sinr.size()));
    }
    expect_rule(std::isfinite(time_ms) && time_ms >= 0.0 && time_ms > time_, "a time later than the last sample's, ms",
                time_ms);
    const auto k = static_cast<std::size_t>(slots_);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (cells[i] == kNoCell) continue;
        const std::string user = "user " + std::to_string(i / k);
        if (cells[i] < 0) throw InvalidArgument("handover: " + user + ": expected a cell of 0 or more, or -1");
        if (!std::isfinite(rsrp[i])) throw InvalidArgument("handover: " + user + ": expected a finite level");
        for (std::size_t j = i - i % k; j < i; ++j) {
            if (cells[j] == cells[i]) {
                throw InvalidArgument("handover: " + user + ": cell " + std::to_string(cells[i]) + " is given twice");
            }
        }
    }
    for (const double value : sinr) {
        if (std::isinf(value)) throw InvalidArgument("handover: expected finite SINRs, or NaN");
    }
}

// A cell that was measured before goes on from its level, a new one starts with what is measured.
void HandoverTracker::filter(std::span<Slot> slots, std::span<const std::int32_t> cells, std::span<const double> rsrp,
                             double weight) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        Slot& now = fresh_[i] = {};
        if (cells[i] == kNoCell) continue;
        now = {.cell = cells[i], .level = rsrp[i]};
        for (const Slot& before : slots) {
            if (before.cell != cells[i]) continue;
            now.level = before.level + weight * (rsrp[i] - before.level);
            now.since = before.since;
            break;
        }
    }
    std::copy(fresh_.begin(), fresh_.end(), slots.begin());
}

bool HandoverTracker::failed(History& history, double sinr) const {
    if (sinr > rules_.in) history.bad_since = -1.0;
    if (sinr < rules_.out && history.bad_since < 0.0) history.bad_since = time_;
    return history.bad_since >= 0.0 && time_ - history.bad_since >= rules_.t310_ms;
}

void HandoverTracker::move(std::uint32_t user, Move how, std::span<Slot> slots, std::int32_t to) {
    History& history = history_[user];
    const std::int32_t from = serving_[user];
    const bool back = how == Move::handover && to == history.left && time_ - history.left_at <= rules_.ping_pong_ms;
    events_.push_back({user, how, from, to, back});
    history.left = how == Move::handover ? from : kNoCell;
    history.left_at = time_;
    history.bad_since = -1.0;
    serving_[user] = to;
    for (Slot& slot : slots) slot.since = -1.0;
}

void HandoverTracker::decide(std::uint32_t user, std::span<Slot> slots, double sinr) {
    const auto stronger = [](const Slot& a, const Slot& b) {
        if ((a.cell == kNoCell) != (b.cell == kNoCell)) return a.cell == kNoCell;
        return a.level < b.level || (a.level == b.level && a.cell > b.cell);
    };
    const Slot& best = *std::max_element(slots.begin(), slots.end(), stronger);
    const std::int32_t own = serving_[user];
    const auto mine = std::find_if(slots.begin(), slots.end(), [own](const Slot& s) { return s.cell == own; });
    if (own == kNoCell) {
        if (best.cell != kNoCell) move(user, Move::attach, slots, best.cell);
        return;
    }
    // A serving cell that is not heard any more is as bad as one that cannot be understood.
    if (failed(history_[user], mine == slots.end() ? -HUGE_VAL : sinr))
        return move(user, Move::failure, slots, best.cell);
    if (mine == slots.end()) return;
    const Slot* chosen = nullptr;
    for (Slot& slot : slots) {
        if (slot.cell == kNoCell || slot.cell == own) continue;
        if (!(slot.level - rules_.hysteresis > mine->level + rules_.offset)) {
            slot.since = -1.0;
            continue;
        }
        if (slot.since < 0.0) slot.since = time_;
        if (time_ - slot.since >= rules_.trigger_ms && (chosen == nullptr || stronger(*chosen, slot))) chosen = &slot;
    }
    if (chosen != nullptr) move(user, Move::handover, slots, chosen->cell);
}

const std::vector<MoveEvent>& HandoverTracker::step(double time_ms, std::span<const std::int32_t> cells,
                                                    std::span<const double> rsrp, std::span<const double> sinr) {
    check(time_ms, cells, rsrp, sinr);
    const double stays = 1.0 - std::pow(2.0, -rules_.filter_k / 4.0);  // of the old level, in 200 ms
    const double weight = time_ < 0.0 ? 1.0 : 1.0 - std::pow(stays, (time_ms - time_) / kSampleMs);
    time_ = time_ms;
    events_.clear();
    const auto k = static_cast<std::size_t>(slots_);
    for (std::size_t user = 0; user < serving_.size(); ++user) {
        const std::span<Slot> slots(state_.data() + user * k, k);
        filter(slots, cells.subspan(user * k, k), rsrp.subspan(user * k, k), weight);
        decide(static_cast<std::uint32_t>(user), slots, sinr[user]);
    }
    return events_;
}

}  // namespace tiertwin::radio
