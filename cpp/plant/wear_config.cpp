// What a law of wear may be; see wear.hpp.
#include <cmath>
#include <string>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "plant/expect.hpp"
#include "plant/wear.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kMostErrors = 500;  // mean of a count, so that exp(-mean) is a number

void check(const WearLaw& law, const std::string& where, double period_s) {
    expect(where + ".shape", law.shape, 0.0, 100.0, true);
    for (const auto& [name, value, most] : {std::tuple{"scale_s", law.scale_s, 1e12},
                                            {"hazard_per_k", law.hazard_per_k, 10.0},
                                            {"hazard_load", law.hazard_load, 100.0},
                                            {"drift_per_s", law.drift_per_s, 1e6},
                                            {"sigma", law.sigma, 1e6},
                                            {"activation_ev", law.activation_ev, 5.0},
                                            {"idle_w", law.idle_w, 1e6},
                                            {"k_per_w", law.k_per_w, 1e3},
                                            {"wear_k", law.wear_k, 1e3},
                                            {"vibration", law.vibration, 1e6},
                                            {"vibration_growth", law.vibration_growth, 1e6},
                                            {"errors_per_s", law.errors_per_s, 1e6},
                                            {"repair_sigma", law.repair_sigma, 5.0}}) {
        expect(std::string(where).append(".").append(name), value, 0.0, most);
    }
    expect(where + ".max_w", law.max_w, law.idle_w, 1e6);
    expect(where + ".repair_s", law.repair_s, 0.0, 1e9, true);
    expect(where + ".reference_c", law.reference_c, -100.0, 200.0);
    expect(where + ".limit", law.limit, 0.0, 1e6, true);
    const double errors = law.errors_per_s > 0 ? law.errors_per_s * period_s * std::exp(law.limit) : 0.0;
    expect(where + ": errors_per_s * period_s * exp(limit)", errors, 0.0, kMostErrors);
    if (law.scale_s <= 0 && law.drift_per_s <= 0 && law.sigma <= 0) {
        throw InvalidArgument(where +
                              ": expected a Weibull process (scale_s above 0) or degradation (drift_per_s or "
                              "sigma above 0), got neither; leave the part out if it never fails");
    }
    if (law.sigma > 0 && law.drift_per_s <= 0)
        expect(where + ".drift_per_s (with sigma)", law.drift_per_s, 0, 1e6, true);
}

}  // namespace

void WearConfig::validate() const {
    expect("period_s", period_s, 0.001, 1e6);
    expect("ambient_c", ambient_c, -100.0, 100.0);
    expect("swing_c", swing_c, 0.0, 100.0);
    expect("day_s", day_s, 0.0, 1e9, true);
    for (std::size_t k = 0; k < laws.size(); ++k)
        check(laws[k], std::string("law[") + std::to_string(k) + "]", period_s);
    if (part_law.size() != part_key.size()) {
        throw InvalidArgument("part_law: expected " + std::to_string(part_key.size()) + " values (one per part), got " +
                              std::to_string(part_law.size()));
    }
    for (std::size_t p = 0; p < part_key.size(); ++p) {
        const std::string at = std::string("[") + std::to_string(p) + "]";
        if (part_key[p] < 0 || (p > 0 && part_key[p] <= part_key[p - 1])) {
            throw InvalidArgument("part_key" + at + ": expected keys of at least 0 in ascending order, got " +
                                  std::to_string(part_key[p]));
        }
        if (part_law[p] < 0 || part_law[p] >= static_cast<std::int64_t>(laws.size())) {
            throw InvalidArgument("part_law" + at + ": expected a law from 0 to " + std::to_string(laws.size()) +
                                  " (exclusive), got " + std::to_string(part_law[p]));
        }
    }
}

}  // namespace tiertwin::plant
