#include "plant/access_reports.hpp"

#include <algorithm>
#include <cmath>

#include "plant/event_tree.hpp"

namespace tiertwin::plant {
namespace {

constexpr std::uint32_t kBlocksAnAccessReport = 4;

std::uint32_t number_of(std::int64_t step) {
    return kBlocksAnAccessReport * static_cast<std::uint32_t>(step & 0x3fff'ffff);
}

std::size_t phase_of(std::uint32_t word, std::size_t phases) { return std::size_t{word} * phases >> 32; }

}  // namespace

AccessReports::AccessReports(const AccessConfig& config, const Chance& chance)
    : config_(config),
      chance_(chance),
      sites_(1 + *std::max_element(config.cell_site.begin(), config.cell_site.end())),
      cells_(period(config.cell_report_s)) {
    for (const double seconds : config.class_report_s) users_.push_back(period(seconds));
    for (std::size_t u = 0; u < config.users(); ++u) {
        Turns& turns = users_[static_cast<std::size_t>(config.user_class[u])];
        if (turns.phases.empty() || unseen(u)) continue;
        turns.phases[phase_of(user_words(u)[2], turns.phases.size())].push_back(static_cast<std::uint32_t>(u));
    }
    for (std::size_t c = 0; c < config.cells() && !cells_.phases.empty(); ++c) {
        const std::uint32_t word = chance_.block(c, Purpose::kAccessCell, 3)[0];
        cells_.phases[phase_of(word, cells_.phases.size())].push_back(static_cast<std::uint32_t>(c));
    }
}

AccessReports::Turns AccessReports::period(double seconds) const {
    Turns turns;
    if (seconds <= 0.0) return turns;
    const auto steps = std::max<std::int64_t>(1, std::llround(seconds * 1e3 / static_cast<double>(config_.step_ms)));
    turns.phases.resize(static_cast<std::size_t>(steps));
    turns.seconds = static_cast<double>(steps * config_.step_ms) * 1e-3;
    return turns;
}

PhiloxBlock AccessReports::user_words(std::size_t user) const {
    return chance_.block(static_cast<std::uint64_t>(config_.user_key[user]), Purpose::kAccessUser, 0);
}

bool AccessReports::unseen(std::size_t user) const { return user_words(user)[3] < config_.unseen_share * 0x1p32; }

AccessReports::Fate AccessReports::fate(const PhiloxBlock& words) const {
    const double delay =
        config_.delay_low_s + uniform(words[0], words[1]) * (config_.delay_high_s - config_.delay_low_s);
    return {uniform(words[2], words[3]) < config_.loss, whole_ns(delay)};
}

double AccessReports::blurred(double value, double normal) const {
    return std::max(0.0, value * (1.0 + config_.noise * normal));
}

void AccessReports::send_user(std::size_t user, std::int32_t site, Time now, std::int64_t step, AccessUserRow row) {
    const auto key = static_cast<std::uint64_t>(config_.user_key[user]);
    const std::uint32_t number = number_of(step);
    const auto block = [&](std::uint32_t k) { return chance_.block(key, Purpose::kAccessUserReport, number + k); };
    const Fate fate = this->fate(block(0));
    if (fate.lost) return;
    const auto [level, latency] = normals(block(1));
    const auto [east, north] = normals(block(2));
    const auto [down, up] = normals(block(3));
    row[1] += config_.level_db * level;
    row[3] = blurred(row[3], down);
    row[4] = blurred(row[4], up);
    row[5] += config_.position_m * east;
    row[6] += config_.position_m * north;
    if (!std::isnan(row[7])) row[7] = blurred(row[7], latency);
    const PhiloxBlock own = user_words(user);
    const double off = config_.clock_offset_s * (2.0 * uniform(own[0], own[1]) - 1.0);
    from_users_.push_back(
        {now + fate.delay, now + std::llround(off * 1e9), site, static_cast<std::int32_t>(user), row});
}

void AccessReports::send_cell(std::size_t cell, std::int32_t site, Time now, std::int64_t step, AccessCellRow row) {
    const std::uint32_t number = number_of(step);
    const Fate fate = this->fate(chance_.block(cell, Purpose::kAccessCellReport, number));
    if (fate.lost) return;
    const auto [power, unused] = normals(chance_.block(cell, Purpose::kAccessCellReport, number + 1));
    static_cast<void>(unused);
    row[2] = blurred(row[2], power);
    row[3] = blurred(row[3], power);
    from_cells_.push_back({now + fate.delay, now, site, static_cast<std::int32_t>(cell), row});
}

}  // namespace tiertwin::plant
