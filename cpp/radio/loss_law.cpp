#include "radio/loss_law.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "radio/rural.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kHalfLg2 = 0.150514997831990597;

}  // namespace

LossLaw::LossLaw(Environment environment, double ghz, double base, double user, double effective)
    : break_(breakpoint(environment, {0.0, base, user}, ghz, effective)),
      nearest_(environment == Environment::inh ? 0.0 : 10.0),
      least_(environment == Environment::inh ? 1.0 : 0.0),
      rise2_((base - user) * (base - user)) {
    if (environment == Environment::rma) {
        rural(ghz, base, user);
    } else if (environment == Environment::inh) {
        indoor(ghz);
    } else {
        urban(environment == Environment::uma, ghz, base, user);
    }
    constexpr double far = std::numeric_limits<double>::max();
    sigma_near_ = shadowing(environment, {0.0, base, user}, ghz, true).sigma;
    sigma_far_ = shadowing(environment, {far, base, user}, ghz, true).sigma;
    sigma_hidden_ = shadowing(environment, {0.0, base, user}, ghz, false).sigma;
}

void LossLaw::urban(bool macro, double ghz, double base, double user) {
    const double f = std::log10(ghz), rise = base - user;
    near_ = {(macro ? 28.0 : 32.4) + 20.0 * f, macro ? 22.0 : 21.0, 0.0};
    far_ = {near_.constant - (macro ? 9.0 : 9.5) * std::log10(break_ * break_ + rise * rise), 40.0, 0.0};
    hidden_ = macro ? Line{13.54 + 20.0 * f - 0.6 * (user - 1.5), 39.08, 0.0}
                    : Line{22.4 + 21.3 * f - 0.3 * (user - 1.5), 35.3, 0.0};
}

void LossLaw::rural(double ghz, double base, double user) {
    const double power = std::pow(kHouse, 1.72);
    near_ = {20.0 * std::log10(40.0 * std::numbers::pi * ghz / 3.0) - std::min(0.044 * power, 14.77),
             20.0 + std::min(0.03 * power, 10.0), 0.002 * std::log10(kHouse)};
    const double lg = std::log10(break_);
    far_ = {near_.at(lg, break_) - 40.0 * lg, 40.0, 0.0};
    const double height = std::log10(base), mobile = std::log10(11.75 * user), ratio = kHouse / base;
    const double slope = 43.42 - 3.1 * height;
    hidden_ = {161.04 - 7.1 * std::log10(kStreet) + 7.5 * std::log10(kHouse) - (24.37 - 3.7 * ratio * ratio) * height -
                   3.0 * slope + 20.0 * std::log10(ghz) - (3.2 * mobile * mobile - 4.97),
               slope, 0.0};
}

void LossLaw::indoor(double ghz) {
    const double f = std::log10(ghz);
    near_ = {32.4 + 20.0 * f, 17.3, 0.0};
    hidden_ = {17.3 + 24.9 * f, 38.3, 0.0};
}

LossLaw::Medians LossLaw::at(double distance) const {
    const double ground = std::max(distance, nearest_);
    const double square = std::max(ground * ground + rise2_, least_);
    const double lg = kHalfLg2 * std::log2(square), d3 = near_.linear == 0.0 ? 0.0 : std::sqrt(square);
    const double clear = (ground <= break_ ? near_ : far_).at(lg, d3);
    return {clear, std::max(clear, hidden_.at(lg, d3))};
}

}  // namespace tiertwin::radio
