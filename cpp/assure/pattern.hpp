// Is the mix of values in a window new? A spread of values never seen before, of a series whose single values may all
// be known.
//
//   h      shares of the last W values in N equal bins between the least and the largest value so far
//   G_j    2 W KL(h || q_j), q_j the mixes seen before; about chi² with N - 1 degrees of freedom if h is drawn from q_j
//   known  min_j G_j below the (1 - level)-quantile: the nearest mix is counted once more
//   new    otherwise: score -log10 P(chi² > min_j G_j), at most `cap`; h becomes a mix of its own
//
// A value beyond the bins widens them; what is known moves with the middle of its old bins. Of more than `most` mixes
// the one met least often gives way, the oldest among equals. A bin that a mix leaves empty and h does not makes it
// unlike.
//
// Source    C. Wang et al., "Statistical techniques for online anomaly detection in data centers", IFIP/IEEE IM 2011,
// as the
//           relative entropy detector of the Numenta Anomaly Benchmark has it (W 52, N 5). Ours: bins that widen (that
//           detector is told the range of the whole series), bounded memory, a score instead of 0 and 1.
// N is odd, so that P has a closed form. Costs N x mixes multiplications a value; memory 8 W + 16 N `most` bytes.
#pragma once

#include <vector>

#include "base/types.hpp"

namespace tiertwin::assure {

struct PatternOptions {
    index_t window = 52, bins = 5, most = 40, warm = 200;  // window 0: none
    double level = 1e-5, cap = 5.0;
};

void check(const PatternOptions& options);  // InvalidArgument

class Pattern {
  public:
    explicit Pattern(const PatternOptions& options);

    [[nodiscard]] double push(double value, const PatternOptions& options);  // finite values
    void restart() { since_ = 0; }  // after a gap: the next window is judged when it is whole

    [[nodiscard]] std::size_t bytes() const;

  private:
    struct Mix {
        std::vector<double> share, ln;  // ln: of share, or -inf
        double met = 1.0;
    };
    void widen(double low, double high, const PatternOptions& options);
    [[nodiscard]] std::size_t bin_of(double value, std::size_t bins) const;
    [[nodiscard]] double nearest(std::size_t& place) const;
    void remember(const PatternOptions& options);

    std::vector<double> ring_, counts_;
    std::vector<Mix> mixes_;
    double least_ = 0.0, largest_ = 0.0, low_ = 0.0, high_ = 0.0;
    index_t seen_ = 0, since_ = 0;
    bool ready_ = false;
};

// P(chi² > x) for an even number of degrees of freedom, as -log10; infinite x: infinite.
[[nodiscard]] double rarity_of_chi2(double x, index_t degrees);

}  // namespace tiertwin::assure
