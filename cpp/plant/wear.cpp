#include "plant/wear.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "plant/units.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kBoltzmann = 8.617e-5;  // eV/K
constexpr double kZeroC = 273.15;
constexpr double kHottest = 1000.0;  // of a formula: what is hotter is a part of another kind

// Inverse Gaussian of mean m = a / drift and shape a^2 / sigma^2, from a normal and a uniform (Michael, Schucany,
// Haas).
double inverse_gaussian(double mean, double shape, double normal, double uniform) {
    const double half = mean * normal * normal / (2.0 * shape);
    const double low = mean / (1.0 + half + std::sqrt(half * (2.0 + half)));  // free of cancellation
    return uniform * (mean + low) <= mean ? low : mean * (mean / low);
}

// Inversion by adding up; at most a few hundred terms for the means that validate() lets through.
double poisson(double mean, double uniform) {
    double term = std::exp(-mean), sum = term, count = 0;
    while (uniform >= sum && term > 0.0) {
        count += 1.0;
        term *= mean / count;
        sum += term;
        if (count > mean && term < 1e-18) break;
    }
    return count;
}

}  // namespace

double heat_factor(double activation_ev, double reference_c, double celsius) {
    return std::exp(activation_ev / kBoltzmann * (1.0 / (reference_c + kZeroC) - 1.0 / (celsius + kZeroC)));
}

Wear::Wear(WearConfig config, const Chance& chance)
    : config_(std::move(config)),
      chance_(chance),
      events_(static_cast<index_t>(config_.part_key.size())),
      period_(0),
      measure_at_(0) {
    config_.validate();
    period_ = measure_at_ = whole_ns(config_.period_s);
    parts_.resize(config_.part_key.size());
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        parts_[p].key = static_cast<std::uint64_t>(config_.part_key[p]);
        parts_[p].law = &config_.laws[static_cast<std::size_t>(config_.part_law[p])];
        renew(parts_[p], 0);
        events_.set(static_cast<std::int32_t>(p), plan(parts_[p], 0));
        sense(parts_[p], 0);
    }
}

Wear::Event Wear::step() {
    const EventTree::Slot slot = events_.top();
    Part& part = parts_[static_cast<std::size_t>(slot.station)];
    const Time now = slot.time;
    if (part.up) {
        age(part, now);
        if (part.worn) part.x = part.law->limit;
        part.up = false;
        ++part.failures;
        events_.set(slot.station, repaired_at(part, now));
    } else {
        renew(part, now);
        events_.set(slot.station, plan(part, now));
    }
    return {now, slot.station, part.up};
}

void Wear::measure(std::span<const double> load) {
    const Time now = measure_at_;
    measure_at_ += period_;
    ++measured_;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        Part& part = parts_[p];
        part.load = std::clamp(load[p], 0.0, 1.0);
        if (part.up) {
            age(part, now);
            part.x = part.x_end;
            events_.set(static_cast<std::int32_t>(p), plan(part, now));
        }
        sense(part, now);
    }
}

double Wear::ambient(Time now) const {
    return config_.ambient_c - config_.swing_c * std::cos(2.0 * std::numbers::pi * seconds(now) / config_.day_s);
}

double Wear::temperature(const Part& part, Time now) const {
    const WearLaw& law = *part.law;
    const double celsius = ambient(now) + law.k_per_w * (law.idle_w + (law.max_w - law.idle_w) * part.load) +
                           law.wear_k * std::max(part.x, 0.0);
    return std::min(celsius, kHottest);
}

void Wear::renew(Part& part, Time now) {
    const PhiloxBlock words = chance_.block(part.key, Purpose::kWearLife, part.lives++);
    part.life = exponential(words[0], words[1]);
    part.age_s = part.hazard = part.x = part.x_end = 0;
    part.since = now;
    part.up = true;
}

// Brings age and hazard to `now`, by what held since the last time.
void Wear::age(Part& part, Time now) const {
    const double before = part.age_s;
    part.age_s += seconds(now - part.since);
    part.since = now;
    const WearLaw& law = *part.law;
    if (law.scale_s > 0) {
        part.hazard += part.multiplier *
                       (std::pow(part.age_s / law.scale_s, law.shape) - std::pow(before / law.scale_s, law.shape));
    }
}

Time Wear::plan(Part& part, Time now) {
    const WearLaw& law = *part.law;
    const double celsius = temperature(part, now);
    const double log_factor = law.hazard_per_k * (celsius - law.reference_c) + law.hazard_load * part.load;
    part.multiplier = std::exp(std::clamp(log_factor, -500.0, 500.0));
    const Time life = life_ends(part, now), limit = limit_reached(part, now, celsius);
    part.worn = limit <= life;
    return std::min(life, limit);
}

Time Wear::life_ends(const Part& part, Time now) const {
    const WearLaw& law = *part.law;
    if (law.scale_s <= 0) return kNever;
    const double rest = std::max(0.0, part.life - part.hazard) / part.multiplier;
    const double end_s = law.scale_s * std::pow(std::pow(part.age_s / law.scale_s, law.shape) + rest, 1.0 / law.shape);
    const Time ends = now + std::max<Time>(1, whole_ns(end_s - part.age_s));
    return ends <= measure_at_ ? ends : kNever;
}

Time Wear::limit_reached(Part& part, Time now, double celsius) {
    const WearLaw& law = *part.law;
    if (law.drift_per_s <= 0 && law.sigma <= 0) return kNever;
    const double span_s = seconds(measure_at_ - now);
    if (span_s <= 0) return kNever;
    const std::uint32_t number = 2 * part.steps++;
    const auto [to_end, to_time] = normals(chance_.block(part.key, Purpose::kWearStep, number));
    const PhiloxBlock words = chance_.block(part.key, Purpose::kWearStep, number + 1);
    const double pace = law.drift_per_s * heat_factor(law.activation_ev, law.reference_c, celsius);
    part.x_end = part.x + pace * span_s + law.sigma * std::sqrt(span_s) * to_end;
    const double left = law.limit - part.x, beyond = law.limit - part.x_end;
    const double spread = law.sigma * law.sigma;
    double at_s = 0;
    if (spread <= 0) {
        if (beyond > 0) return kNever;
        at_s = left / pace;
    } else {
        if (beyond > 0 && uniform(words[0], words[1]) >= std::exp(-2.0 * left * beyond / (spread * span_s)))
            return kNever;
        const double mean = left * span_s / std::max(std::abs(beyond), 1e-12 * left);
        const double u = inverse_gaussian(mean, left * left / spread, to_time, uniform(words[2], words[3]));
        at_s = u * span_s / (span_s + u);
    }
    return std::clamp(now + whole_ns(at_s), now + 1, measure_at_);
}

Time Wear::repaired_at(const Part& part, Time now) const {
    const WearLaw& law = *part.law;
    const PhiloxBlock words = chance_.block(part.key, Purpose::kWearRepair, part.lives);
    const double s = law.repair_sigma;
    const double factor = s > 0 ? std::exp(s * normals(words).first - s * s / 2.0) : exponential(words[0], words[1]);
    return now + std::max<Time>(1, whole_ns(law.repair_s * factor));
}

void Wear::sense(Part& part, Time now) const {
    if (!part.up) {
        part.signals = {ambient(now), 0.0, 0.0};
        return;
    }
    const WearLaw& law = *part.law;
    const PhiloxBlock words = chance_.block(part.key, Purpose::kWearSignal, measured_);
    const double errors = law.errors_per_s * config_.period_s * std::exp(part.x);
    part.signals = {temperature(part, now), law.vibration + law.vibration_growth * std::max(part.x, 0.0),
                    errors > 0 ? poisson(errors, uniform(words[0], words[1])) : 0.0};
}

}  // namespace tiertwin::plant
