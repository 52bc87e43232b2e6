// Path loss of one kind of mast for one height of users, prepared for many distances: the numbers of path_loss() and
// shadowing() in propagation.hpp, with what does not depend on the distance worked out beforehand.
//
//   loss = constant + slope * lg d3 + linear * d3      up to the breakpoint and beyond it; hidden never below clear
//
// Units      m, GHz, dB. Range: the caller's duty (propagation.hpp).
// Costs      about 15 ns a distance (one logarithm, one root).
// Thread safety  immutable once built.
#pragma once

#include "radio/propagation.hpp"

namespace tiertwin::radio {

class LossLaw {
  public:
    LossLaw(Environment environment, double ghz, double base_height, double user_height, double effective_height = 1.0);

    struct Medians {
        double clear = 0.0, hidden = 0.0;  // dB
    };
    [[nodiscard]] Medians at(double distance) const;  // along the ground

    [[nodiscard]] double sigma_clear(double distance) const { return distance <= break_ ? sigma_near_ : sigma_far_; }
    [[nodiscard]] double sigma_hidden() const { return sigma_hidden_; }

  private:
    struct Line {
        double constant = 0.0, slope = 0.0, linear = 0.0;
        [[nodiscard]] double at(double lg, double d3) const { return constant + slope * lg + linear * d3; }
    };
    void urban(bool macro, double ghz, double base, double user);
    void rural(double ghz, double base, double user);
    void indoor(double ghz);

    Line near_, far_, hidden_;
    double break_ = 0.0;    // m along the ground
    double nearest_ = 0.0;  // m along the ground, counted at least
    double least_ = 0.0;    // m in space, counted at least
    double rise2_ = 0.0;    // m^2
    double sigma_near_ = 0.0, sigma_far_ = 0.0, sigma_hidden_ = 0.0;
};

}  // namespace tiertwin::radio
