#include "plant/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "plant/event_tree.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kSilent = std::numeric_limits<double>::infinity();
constexpr double kTasksAWindow = 4096;  // a batch of 96 KiB: stays in cache
constexpr Time kShortestWindow = kMillisecond, kLongestWindow = 250 * kMillisecond;

Time after(Time since, double gap_ns) {
    return gap_ns < static_cast<double>(kHorizon) ? since + static_cast<Time>(std::llround(gap_ns)) : kNever;
}

constexpr auto kind_of(Arrival arrival) { return static_cast<std::uint32_t>(arrival); }

}  // namespace

Arrivals::Arrivals(const Config& config, const Chance& chance)
    : config_(config),
      chance_(chance),
      multiplier_(static_cast<std::size_t>(config.sites()), 1.0),
      next_(static_cast<std::size_t>(config.devices()), kNever),
      sources_(next_.size()),
      trace_phase_(next_.size(), 0) {
    for (std::size_t d = 0; d < sources_.size(); ++d) start(d);
    set_load(0, multiplier_);
}

void Arrivals::start(std::size_t device) {
    Source& source = sources_[device];
    source.kind =
        static_cast<std::uint32_t>(config_.class_arrival[static_cast<std::size_t>(config_.device_class[device])]);
    const auto key = static_cast<std::uint64_t>(config_.device_key[device]);
    const PhiloxBlock words = chance_.block(key, Purpose::kDevice, 1);
    if (source.kind == kind_of(Arrival::kTrace)) {
        trace_phase_[device] =
            static_cast<Time>(uniform(words[0], words[1]) * class_value(config_.trace_repeat_s, device) * 1e9);
        // Cyclic: begin with the first time at or after the phase.
        const auto c = static_cast<std::size_t>(config_.device_class[device]);
        const auto length = static_cast<std::uint32_t>(config_.trace_ptr[c + 1] - config_.trace_ptr[c]);
        while (source.played < length && trace_time(device) < 0) ++source.played;
        return;
    }
    const PhiloxBlock first = chance_.block(key, Purpose::kArrival, std::numeric_limits<std::uint32_t>::max());
    source.remainder = exponential(first[0], first[1]);
    source.toggle = kNever;
    if (source.kind == kind_of(Arrival::kOnOff)) {
        const double on_s = class_value(config_.class_on_s, device), off_s = class_value(config_.class_off_s, device);
        source.on = uniform(words[2], words[3]) * (on_s + off_s) >= on_s;  // flipped at once below: on with on/(on+off)
        source.toggle = 0;
        flip(device);
    }
}

Time Arrivals::trace_time(std::size_t device) const {
    const auto c = static_cast<std::size_t>(config_.device_class[device]);
    const index_t begin = config_.trace_ptr[c], length = config_.trace_ptr[c + 1] - begin;
    const index_t played = sources_[device].played;
    const bool repeats = config_.trace_repeat_s[c] > 0;
    if (length == 0 || (!repeats && played >= length)) return kNever;
    const double at_s = config_.trace_s[static_cast<std::size_t>(begin + played % length)];
    const double round_s = static_cast<double>(played / length) * config_.trace_repeat_s[c];
    const double time = std::round((at_s + round_s) * 1e9) - static_cast<double>(trace_phase_[device]);
    return time < static_cast<double>(kHorizon) ? static_cast<Time>(time) : kNever;
}

void Arrivals::schedule(std::size_t device) {
    const Source& source = sources_[device];
    if (source.kind == kind_of(Arrival::kTrace)) {
        next_[device] = trace_time(device);
    } else {
        const Time arrival = source.on ? after(source.since, source.remainder * source.inverse_ns) : kNever;
        next_[device] = std::min(arrival, source.toggle);
    }
}

void Arrivals::flip(std::size_t device) {
    Source& source = sources_[device];
    const Time now = source.toggle;
    if (source.on)
        source.remainder =
            std::max(0.0, source.remainder - static_cast<double>(now - source.since) / source.inverse_ns);
    source.on = !source.on;
    source.since = now;
    const auto key = static_cast<std::uint64_t>(config_.device_key[device]);
    const PhiloxBlock words = chance_.block(key, Purpose::kOnOff, source.toggles++);
    const double mean_s = class_value(source.on ? config_.class_on_s : config_.class_off_s, device);
    source.toggle = after(now, exponential(words[0], words[1]) * mean_s * 1e9);
}

void Arrivals::emit(std::size_t device) {
    Source& source = sources_[device];
    const std::uint32_t number = source.tasks++;
    if (number == std::numeric_limits<std::uint32_t>::max()) {
        throw Error("device " + std::to_string(device) +
                    " made 2^32 - 1 tasks and has no more random numbers; split it");
    }
    const auto key = static_cast<std::uint64_t>(config_.device_key[device]);
    const PhiloxBlock words = chance_.block(key, Purpose::kArrival, number);
    batch_.push_back({next_[device], static_cast<std::int32_t>(device), number, words[2]});
    if (source.kind == kind_of(Arrival::kTrace)) {
        ++source.played;
    } else {
        source.since = next_[device];
        source.remainder = exponential(words[0], words[1]);
    }
}

void Arrivals::generate(std::size_t device, Time end) {
    const Source& source = sources_[device];
    while (next_[device] <= end) {
        const bool flips = source.kind == kind_of(Arrival::kOnOff) && next_[device] == source.toggle;
        flips ? flip(device) : emit(device);
        schedule(device);
    }
}

std::span<const NewTask> Arrivals::next_window(Time until) {
    const Time end = std::min(until, generated_until_ + window_);
    batch_.clear();
    for (std::size_t d = 0; d < next_.size(); ++d) {
        if (next_[d] <= end) generate(d, end);
    }
    std::sort(batch_.begin(), batch_.end(), [](const NewTask& a, const NewTask& b) {
        if (a.time != b.time) return a.time < b.time;
        return a.device != b.device ? a.device < b.device : a.number < b.number;
    });
    generated_until_ = end;
    return batch_;
}

void Arrivals::set_rate(std::size_t device) {
    Source& source = sources_[device];
    double rate = class_value(config_.class_tasks_per_s, device) *
                  multiplier_[static_cast<std::size_t>(config_.device_site[device])];
    if (source.kind == kind_of(Arrival::kOnOff)) {
        const double on_s = class_value(config_.class_on_s, device);
        rate *= (on_s + class_value(config_.class_off_s, device)) / on_s;
    }
    source.inverse_ns = rate > 0 ? 1e9 / rate : kSilent;
}

void Arrivals::set_load(Time now, std::span<const double> multiplier) {
    multiplier_.assign(multiplier.begin(), multiplier.end());
    double total = 0;
    for (std::size_t d = 0; d < sources_.size(); ++d) {
        Source& source = sources_[d];
        if (source.kind != kind_of(Arrival::kTrace)) {
            if (source.on && source.since < now) {
                source.remainder =
                    std::max(0.0, source.remainder - static_cast<double>(now - source.since) / source.inverse_ns);
            }
            source.since = std::max(source.since, now);
            set_rate(d);
        }
        schedule(d);
        total += mean_rate(d);
    }
    const double window_ns = kTasksAWindow / std::max(total, 1e-3) * 1e9;
    window_ = std::clamp(static_cast<Time>(window_ns), kShortestWindow, kLongestWindow);
}

double Arrivals::mean_rate(std::size_t device) const {
    const auto c = static_cast<std::size_t>(config_.device_class[device]);
    if (sources_[device].kind == kind_of(Arrival::kTrace)) {
        const double repeat_s = config_.trace_repeat_s[c];
        return repeat_s > 0 ? static_cast<double>(config_.trace_ptr[c + 1] - config_.trace_ptr[c]) / repeat_s : 0.0;
    }
    return config_.class_tasks_per_s[c] * multiplier_[static_cast<std::size_t>(config_.device_site[device])];
}

}  // namespace tiertwin::plant
