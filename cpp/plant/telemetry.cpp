#include "plant/telemetry.hpp"

#include <algorithm>
#include <tuple>

#include "plant/access_reports.hpp"
#include "plant/event_tree.hpp"

namespace tiertwin::plant {
namespace {

constexpr std::uint32_t kBlocksAReport = 4;

double blurred(double value, double noise, double normal) { return std::max(0.0, value * (1.0 + noise * normal)); }

}  // namespace

ReportClock::ReportClock(const Config& config, const Chance& chance, bool base_stations)
    : period_(whole_ns(config.report_s)), next_(kNever) {
    if (period_ == 0) return;
    const auto add = [&](Sender sender, std::size_t id, std::uint64_t key, Purpose purpose) {
        const PhiloxBlock words = chance.block(key, purpose, 0);
        const Time phase = 1 + static_cast<Time>(uniform(words[0], words[1]) * static_cast<double>(period_));
        turns_.push_back({phase, sender, static_cast<std::int32_t>(id), 2 * phase < period_});
    };
    for (std::size_t d = 0; d < config.device_key.size() && !base_stations; ++d) {
        add(Sender::kDevice, d, static_cast<std::uint64_t>(config.device_key[d]), Purpose::kDevice);
    }
    for (std::size_t s = 0; s < config.site_cells.size() && base_stations; ++s) {
        add(Sender::kBaseStation, s, s, Purpose::kBaseStation);
    }
    for (std::size_t q = 0; q < config.server_cores.size(); ++q) add(Sender::kServer, q, q, Purpose::kServer);
    for (std::size_t l = 0; l < config.link_site.size(); ++l) add(Sender::kLink, l, l, Purpose::kLink);
    std::sort(turns_.begin(), turns_.end(), [](const Turn& a, const Turn& b) {
        return std::tie(a.phase, a.sender, a.id) < std::tie(b.phase, b.sender, b.id);
    });
    settle();
}

void ReportClock::step() {
    if (++position_ == turns_.size()) {
        position_ = 0;
        ++round_;
    }
    settle();
}

void ReportClock::settle() {
    while (round_ == 0 && turns_[position_].late_start) {
        if (++position_ == turns_.size()) {
            position_ = 0;
            ++round_;
        }
    }
    next_ = turns_[position_].phase + static_cast<Time>(round_) * period_;
}

Mouth::Fate Mouth::fate(std::uint64_t key, Purpose purpose, std::uint32_t number) const {
    const PhiloxBlock words = chance_.block(key, purpose, kBlocksAReport * number);
    const double delay_s =
        config_.delay_low_s + uniform(words[0], words[1]) * (config_.delay_high_s - config_.delay_low_s);
    return {uniform(words[2], words[3]) < config_.loss, whole_ns(delay_s)};
}

void Mouth::blur(double& a, double& b, std::uint64_t key, Purpose purpose, std::uint32_t number,
                 std::uint32_t pair) const {
    if (a == 0.0 && b == 0.0) return;  // idle devices, most of a crowd: zero stays zero, and no later draw moves
    const auto [first, second] = normals(chance_.block(key, purpose, kBlocksAReport * number + 1 + pair));
    a = blurred(a, config_.noise, first);
    b = blurred(b, config_.noise, second);
}

template <std::size_t Width>
Batch<Width> take_arrived(std::vector<Report<Width>>& pending, Time until, index_t sites) {
    struct Key {
        std::int32_t site;
        std::uint32_t index;
        Time arrival;
    };
    Batch<Width> batch;
    batch.site_ptr.assign(static_cast<std::size_t>(sites) + 2, 0);
    std::vector<Key> keys;
    for (std::size_t i = 0; i < pending.size(); ++i) {
        if (pending[i].arrival > until) continue;
        const std::int32_t site = pending[i].site < 0 ? static_cast<std::int32_t>(sites) : pending[i].site;
        keys.push_back({site, static_cast<std::uint32_t>(i), pending[i].arrival});
        ++batch.site_ptr[static_cast<std::size_t>(site) + 1];
    }
    for (std::size_t s = 1; s < batch.site_ptr.size(); ++s) batch.site_ptr[s] += batch.site_ptr[s - 1];
    std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
        return std::tie(a.site, a.arrival, a.index) < std::tie(b.site, b.arrival, b.index);
    });
    batch.rows.reserve(keys.size());
    for (const Key& key : keys) batch.rows.push_back(pending[key.index]);
    std::erase_if(pending, [until](const Report<Width>& report) { return report.arrival <= until; });
    return batch;
}

static_assert(kSensorAttributes == kLinkAttributes && kBaseStationAttributes == kLinkAttributes &&
              kWeatherAttributes == kServerAttributes);
static_assert(kGroupAttributes == kAccessUserAttributes);
template Batch<kDeviceAttributes> take_arrived(std::vector<Report<kDeviceAttributes>>&, Time, index_t);
template Batch<kServerAttributes> take_arrived(std::vector<Report<kServerAttributes>>&, Time, index_t);
template Batch<kLinkAttributes> take_arrived(std::vector<Report<kLinkAttributes>>&, Time, index_t);
template Batch<kAccessUserAttributes> take_arrived(std::vector<Report<kAccessUserAttributes>>&, Time, index_t);

}  // namespace tiertwin::plant
