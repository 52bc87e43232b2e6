#include "plant/sleep.hpp"

#include <string>
#include <utility>

#include "base/error.hpp"
#include "radio/base_station.hpp"

namespace tiertwin::plant {

void SleepConfig::validate() const {
    for (const std::int64_t kind : station) static_cast<void>(radio::base_station(static_cast<std::ptrdiff_t>(kind)));
    for (const auto& [name, value] : {std::pair{"after_s", after_s}, {"wake_s", wake_s}}) {
        if (value >= 0.0 && value <= 1e6) continue;
        throw InvalidArgument(std::string(name) + ": expected a number from 0 to 1000000 s, got " +
                              std::to_string(value));
    }
}

Sleep::Sleep(SleepConfig config, const std::vector<double>& cells)
    : after_(0), wake_(0), sites_(cells.size()), waking_(static_cast<index_t>(cells.size())) {
    config.validate();
    if (config.station.size() != cells.size()) {
        throw InvalidArgument("station: expected " + std::to_string(cells.size()) + " values (one per site), got " +
                              std::to_string(config.station.size()));
    }
    after_ = config.after_s > 0 ? whole_ns(config.after_s) : kNever;
    wake_ = whole_ns(config.wake_s);
    for (std::size_t s = 0; s < cells.size(); ++s) {
        const radio::BaseStation& kind = radio::base_station(static_cast<std::ptrdiff_t>(config.station[s]));
        sites_[s].cells = cells[s];
        sites_[s].awake_w = radio::station_power(kind, 0.0);
        sites_[s].per_busy_w = radio::station_power(kind, 1.0) - sites_[s].awake_w;
        sites_[s].asleep_w = radio::sleeping_power(kind);
    }
}

bool Sleep::asleep(Time now, std::size_t site) const {
    const Site& at = sites_[site];
    return at.idle != kNever && after_ != kNever && now - at.idle > after_;
}

double Sleep::asleep_s(Time now, std::size_t site) const {
    const Site& at = sites_[site];
    const Time current = asleep(now, site) ? now - at.idle - after_ : 0;
    return static_cast<double>(at.slept + current) * 1e-9;
}

double Sleep::energy_j(Time now, std::size_t site, double busy_s) const {
    const Site& at = sites_[site];
    const double slept_s = asleep_s(now, site), awake_s = static_cast<double>(now) * 1e-9 - slept_s;
    return at.cells * (at.awake_w * awake_s + at.asleep_w * slept_s) + at.per_busy_w * busy_s;
}

bool Sleep::hold(Time now, std::size_t site, TaskId task) {
    Site& at = sites_[site];
    if (asleep(now, site)) {
        at.slept += now - at.idle - after_;
        at.idle = kNever;
        at.awake_at = now + wake_;
        if (wake_ > 0) waking_.set(static_cast<std::int32_t>(site), at.awake_at);
    }
    if (at.awake_at <= now && at.held.empty()) return false;
    at.held.push_back(task);
    return true;
}

std::vector<TaskId> Sleep::woken(std::size_t& site) {
    const EventTree::Slot slot = waking_.top();
    site = static_cast<std::size_t>(slot.station);
    waking_.set(slot.station, kNever);
    return std::exchange(sites_[site].held, {});
}

}  // namespace tiertwin::plant
