// When devices make tasks: an open loop, so it runs ahead of the network window by window.
//
//   Poisson   gaps are exponential(rate * multiplier of the site)
//   on-off    exponential on and off times; Poisson with rate * (on + off) / on while on (the mean is kept)
//   trace     given times, repeated with a phase of the device's own, or played once; the multiplier does not touch it
//
// Gaps are drawn in units of the process's own mean and kept as a remainder, so a change of multiplier stretches the
// rest of the running gap and no draw is lost or repeated: the same device makes the same k-th draw whatever the load
// does.
//
// Costs      a window scans one time a device and sorts its arrivals, instead of keeping a heap of all devices: with 20
// 000
//            devices about 0.11 us a task, the counting of it included (measured, every task shed).
// Thread     one thread owns it.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "plant/chance.hpp"
#include "plant/config.hpp"

namespace tiertwin::plant {

struct NewTask {
    Time time;
    std::int32_t device;
    std::uint32_t number;  // of the device's tasks
    std::uint32_t choice;  // keyed uniform word: which tier
};

class Arrivals {
  public:
    Arrivals(const Config& config, const Chance& chance);

    // The tasks of (end of the last window, end], by (time, device, number), end <= until; valid until the next call.
    // The window is as long as a few thousand tasks take; the answer does not depend on how time is cut.
    [[nodiscard]] std::span<const NewTask> next_window(Time until);
    [[nodiscard]] Time generated_until() const { return generated_until_; }

    // Multiplier of each site from `now` on; requires now == generated_until() (arrivals never run ahead of a change).
    void set_load(Time now, std::span<const double> multiplier);

    // Mean rate of device d now, tasks/s, without noise.
    [[nodiscard]] double mean_rate(std::size_t device) const;

  private:
    struct Source {
        double remainder = 0;                                         // of the running gap, in mean gaps, at `since`
        double inverse_ns = std::numeric_limits<double>::infinity();  // mean gap (infinite: silent)
        Time since = 0;
        Time toggle = 0;  // next change between on and off
        std::uint32_t tasks = 0, toggles = 0, played = 0;
        std::uint32_t kind = 0;
        bool on = true;
    };
    void start(std::size_t device);
    void schedule(std::size_t device);
    void emit(std::size_t device);
    void flip(std::size_t device);
    void generate(std::size_t device, Time end);
    void set_rate(std::size_t device);
    [[nodiscard]] Time trace_time(std::size_t device) const;
    [[nodiscard]] double class_value(const std::vector<double>& values, std::size_t device) const {
        return values[static_cast<std::size_t>(config_.device_class[device])];
    }

    const Config& config_;
    const Chance& chance_;
    Time generated_until_ = 0;
    Time window_ = 0;
    std::vector<double> multiplier_;  // by site
    std::vector<Time> next_;  // by device: its next arrival or change; apart from `Source` so that a scan is dense
    std::vector<Source> sources_;
    std::vector<Time> trace_phase_;
    std::vector<NewTask> batch_;
};

}  // namespace tiertwin::plant
