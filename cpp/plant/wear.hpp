// Parts that fail, are repaired, wear, and tell how they feel. A part follows a law; a law has a Weibull process, a
// degradation process, or both (the first to fail counts):
//
//   heat         T = ambient(t) + k_per_w * (idle_w + (max_w - idle_w) * load) + wear_k * X            degrees C
//                ambient(t) = ambient_c - swing_c * cos(2 pi t / day)                       coldest at midnight
//   Weibull      hazard (shape / scale) (age / scale)^(shape-1) * exp(per_k * (T - T0) + per_load * load); the part
//                fails when its integral reaches an exponential of mean 1, drawn once a life (proportional hazards, Cox
//                1972)
//   degradation  dX = drift * AF(T) dt + sigma dW, X = 0 when new; the part fails when X first reaches `limit`
//                AF(T) = exp((Ea / kB) (1 / T0 - 1 / T)), T in K, kB = 8.617e-5 eV/K (Arrhenius). 0.7 eV, 25 -> 35 C:
//                2.42
//   repair       lognormal or exponential time; then the part is as new: age 0, X 0, another life
//   signals      T; vibration rms = still + growth * max(X, 0) mm/s; errors counted since the last measurement,
//                Poisson of mean error_rate * period * exp(X). Of a part that is down: ambient, 0, 0. (Couplings ours.)
//
// Every `period` all parts are measured: load and temperature of the period behind hold for the period ahead. Between
// measurements nothing is stepped through: the time of a Weibull failure has a closed form, and a degradation step
// draws X at its end, whether the bridge between crossed the limit, exp(-2 (limit - X0)(limit - X1) / (sigma^2 dt)),
// and when (first passage of a bridge: inverse Gaussian in u = s dt / (dt - s), by Michael, Schucany and Haas 1976). So
// the law of the failure times is exact for any period, as long as temperature and load hold.
//
// Draws are keyed by part and counted by its own lives and steps: same seed, same loads, the same bits, whoever else
// exists. With the same draws a hotter or busier part never fails in a later period (tested).
//
// Costs   0.15 us a part and measurement, O(log parts) a failure or repair.   Thread  one thread owns it.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"
#include "plant/chance.hpp"
#include "plant/event_tree.hpp"

namespace tiertwin::plant {

struct WearLaw {
    double shape = 1, scale_s = 0;             // Weibull; scale 0: no such process
    double hazard_per_k = 0, hazard_load = 0;  // covariates of the hazard, >= 0
    double drift_per_s = 0, sigma = 0;         // X a second, X a root second; both 0: no degradation
    double limit = 1;                          // X at which it fails
    double activation_ev = 0;
    double reference_c = 25;
    double idle_w = 0, max_w = 0, k_per_w = 0, wear_k = 0;
    double vibration = 0, vibration_growth = 0;  // mm/s
    double errors_per_s = 0;
    double repair_s = 1;      // mean
    double repair_sigma = 0;  // of the logarithm; 0: exponential
};

struct WearConfig {
    double period_s = 1, ambient_c = 20, swing_c = 0, day_s = 86400;
    std::vector<WearLaw> laws;
    std::vector<std::int64_t> part_key;  // names the draws; ascending
    std::vector<std::int64_t> part_law;

    // Throws InvalidArgument naming law, field, value and what was expected.
    void validate() const;
};

[[nodiscard]] double heat_factor(double activation_ev, double reference_c, double celsius);

struct Signals {
    double temperature_c = 0, vibration = 0, errors = 0;
};

class Wear {
  public:
    Wear(WearConfig config, const Chance& chance);  // new parts at time 0, as yet without load

    struct Event {
        Time time;
        index_t part;
        bool up;  // repaired; false: failed
    };

    // Next failure or repair, and the next measurement; at the same time the failure or repair comes first.
    [[nodiscard]] Time next_event() const { return events_.top().time; }
    [[nodiscard]] Time next_measurement() const { return measure_at_; }
    // Requires calls in order of time, at these times.
    Event step();
    void measure(std::span<const double> load);  // of every part over the period behind, 0 ... 1

    [[nodiscard]] index_t parts() const { return static_cast<index_t>(parts_.size()); }
    [[nodiscard]] const WearConfig& config() const { return config_; }
    [[nodiscard]] std::uint32_t measurements() const { return measured_; }
    [[nodiscard]] const Signals& signals(index_t part) const { return part_(part).signals; }
    [[nodiscard]] bool up(index_t part) const { return part_(part).up; }
    // As of the last measurement, failure or repair.
    [[nodiscard]] double wear(index_t part) const { return part_(part).x; }
    [[nodiscard]] std::int64_t failures(index_t part) const { return part_(part).failures; }

  private:
    struct Part {
        std::uint64_t key = 0;
        const WearLaw* law = nullptr;
        double load = 0;
        double age_s = 0, hazard = 0, life = 0, multiplier = 1;  // Weibull: integral of the hazard so far, its end
        double x = 0, x_end = 0;                                 // degradation: now, and at the end of the step
        Time since = 0;                                          // of what is above
        std::uint32_t lives = 0, steps = 0;
        std::int64_t failures = 0;
        bool up = true, worn = false;  // worn: it is the degradation that comes first in this step
        Signals signals;
    };

    [[nodiscard]] const Part& part_(index_t part) const { return parts_[static_cast<std::size_t>(part)]; }
    [[nodiscard]] double ambient(Time now) const;
    [[nodiscard]] double temperature(const Part& part, Time now) const;
    void renew(Part& part, Time now);
    void age(Part& part, Time now) const;
    // Draws the step from now to the next measurement; returns when the part fails in it, kNever if it does not.
    [[nodiscard]] Time plan(Part& part, Time now);
    [[nodiscard]] Time life_ends(const Part& part, Time now) const;
    [[nodiscard]] Time limit_reached(Part& part, Time now, double celsius);
    [[nodiscard]] Time repaired_at(const Part& part, Time now) const;
    void sense(Part& part, Time now) const;

    WearConfig config_;
    Chance chance_;
    std::vector<Part> parts_;
    EventTree events_;
    Time period_, measure_at_;
    std::uint32_t measured_ = 0;
};

}  // namespace tiertwin::plant
