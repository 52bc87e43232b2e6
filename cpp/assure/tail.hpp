// How rare is a value, by the tail of all that came before: peaks over a threshold, followed value by value.
//
//   u     q-quantile of y, by stochastic approximation:  u += eta q if y > u, else u -= eta (1 - q),
//         eta = max(3 / (n + 10), 0.02) s, s the scale of y that the caller follows
//   e     y - u of the values beyond u: running mean m and mean square (gain max(1/k, 1/memory)), each e at most
//         `clip` m, so that one outlier does not become the measure of all later ones
//   xi    generalised Pareto by moments, (1 - m² / var) / 2 kept within 0 … `heaviest`;  beta = m (1 - xi)
//   rare  -log10 P(Y > y) = -log10(1 - q) + log10(1 + xi e / beta) / xi      (e / (beta ln 10) for xi -> 0); 0 for y <=
//   u
//
// While fewer than 5 values lay beyond u nothing is known of the tail: a y above all of n earlier ones has then the
// rank's log10(n + 1), others 0.
//
// Source    J. Pickands, The Annals of Statistics 3 (1975) 119; moments: J. R. M. Hosking, J. R. Wallis, Technometrics
//           29 (1987) 339; on streams: A. Siffer et al., KDD 2017 (DOI 10.1145/3097983.3098144), who keep the peaks;
//           the running moments are ours. Costs 20 operations, 56 bytes.
#pragma once

#include <algorithm>
#include <cmath>

namespace tiertwin::assure {

struct TailOptions {
    double quantile = 0.98, memory = 30.0, clip = 20.0, heaviest = 0.4;
};

class Tail {
  public:
    [[nodiscard]] double rare(double y, double seen, const TailOptions& options) const {
        if (count_ < kLeast) return y > largest_ && y > 0.0 ? std::log10(seen + 1.0) : 0.0;
        if (y <= u_ || !(mean_ > 0.0)) return 0.0;
        const double variance = std::max(square_ - mean_ * mean_, 1e-12 * mean_ * mean_);
        const double xi = std::clamp(0.5 * (1.0 - mean_ * mean_ / variance), 0.0, options.heaviest);
        const double size = (y - u_) / (mean_ * (1.0 - xi));
        const double beyond = xi < 1e-6 ? size / std::log(10.0) : std::log10(1.0 + xi * size) / xi;
        return beyond - std::log10(1.0 - options.quantile);
    }

    void learn(double y, double scale, double seen, const TailOptions& options) {
        const double step = std::max(3.0 / (seen + 10.0), 0.02) * scale;
        if (count_ < kLeast) largest_ = std::max(largest_, y);
        if (y <= u_) {
            u_ -= step * (1.0 - options.quantile);
            return;
        }
        count_ += 1.0;
        const double gain = 1.0 / std::min(count_, options.memory);
        const double most = options.clip * std::max(mean_, 0.1 * scale);
        const double excess = count_ > 1.0 ? std::min(y - u_, most) : y - u_;
        mean_ += gain * (excess - mean_);
        square_ += gain * (excess * excess - square_);
        u_ += step * options.quantile;
    }

  private:
    static constexpr double kLeast = 5.0;
    double u_ = 0.0, mean_ = 0.0, square_ = 0.0, count_ = 0.0, largest_ = 0.0;
};

// Both tails of a residual, each with its own: a drop is not rare where drops are daily, a rise may be.
class TwoTails {
  public:
    [[nodiscard]] double scale() const { return scale_; }
    // How rare the residual is (the rarer of its two sides); then it is learnt. `warm`: values before one is judged.
    double push(double residual, double warm, double scale_gain, const TailOptions& options) {
        double rare = 0.0;
        if (seen_ > warm) rare = std::max(up_.rare(residual, seen_, options), down_.rare(-residual, seen_, options));
        seen_ += 1.0;
        const double size = std::fabs(residual), most = seen_ > 30.0 && scale_ > 0.0 ? 10.0 * scale_ : size;
        scale_ += std::max(1.0 / seen_, scale_gain) * (std::min(size, most) - scale_);
        up_.learn(residual, scale_, seen_ - 1.0, options);
        down_.learn(-residual, scale_, seen_ - 1.0, options);
        return rare;
    }

  private:
    Tail up_, down_;
    double scale_ = 0.0, seen_ = 0.0;
};

}  // namespace tiertwin::assure
