// Does a child tell what it saw? Evidence against each of many children, report by report, and who is in quarantine.
//
// A child says in a report: x tasks were made, c were done, m were missed, and some numbers measured. Others say (its
// neighbours, the plan, its own past) that an honest child makes `least` to `most` tasks in such a time.
//
//   level     for each decay d:  X <- d X + x,  A <- d A + least,  B <- d B + most;   G(X, e) = X ln(X / e) - X + e
//             more: G(X, B) / spread where X > B        less: G(X, A) / spread where X < A     the largest over d
//   balance   over the longest decay D:  what is done was made, what was made is done or missed, but for what is under
//             way:  max( C - X, X - C - M ) - slack - slack_rate B - 3 noise sqrt(D-sum of x^2),  if above 0: a nat a
//             task
//   repeat    the measured numbers are those of an earlier report to the last bit: R <- forget R + repeat (else + 0);
//             `frozen` where it was the report before, `replayed` where it was one of the `prints` before that. Numbers
//             that are all zero or missing prove nothing. Where more than `common` of the children that report repeat
//             at once, that is how these sensors are (coarse digits, no noise), and nobody is blamed
//   bounds    nats given by the caller for what is physically impossible
//
//   evidence  = the largest of them, of the reason that has it. G is the likelihood-ratio bound of a Poisson count: an
//             honest child exceeds g nats in a window with probability of about e^-g. Decayed windows vary less than
//             counts of the same mean: on the safe side
//   quarantine  above `limit`, but never more than `most_share` of all children: the worst first, then the lowest row.
//             Out again after `hold` reports in a row with all evidence below `calm` x limit
//
// Source    Chernoff bound of a Poisson tail (any textbook); decayed counts instead of CUSUMs, so that a child that
//           stops lying is forgiven; the rest ours.
// Missing   a child whose report did not come (`fresh` 0) keeps what it has. NaN in x, c, m, least or most: that check
//           is left out for this report.
// Warm      the first `warm` reports of a child are not judged by level and balance.
// Costs     about 60 ns a child and report with 3 decays and 32 prints; memory 8 x (prints + 4 decays + 12) bytes a
// child. Thread    one thread owns it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::assure {

enum class LieReason : std::int8_t { kNone = 0, kBounds, kMore, kLess, kBalance, kFrozen, kReplayed };

struct LieOptions {
    std::vector<double> decays{0.0, 0.75, 0.95};  // each in [0, 1), ascending
    double spread = 1.0;                          // variance of an honest count over its mean
    double slack = 4.0, slack_rate = 1.0;         // tasks under way: so many, and so much of `most`
    double noise = 0.03;                          // relative, of x
    double repeat = 8.0, forget = 0.8, common = 0.3;
    double limit = 12.0, calm = 0.25, most_share = 0.3;
    index_t prints = 32, warm = 2, hold = 20;
};

// One report of each child; arrays of one number a child, `measured` children x width.
struct Claims {
    std::span<const std::uint8_t> fresh;
    std::span<const double> made, done, missed, least, most, bounds, measured;
};

class LieWatch {
  public:
    LieWatch(index_t children, LieOptions options);  // InvalidArgument

    // Takes the reports that came. Returns how many children went into or out of quarantine. InvalidArgument: sizes.
    index_t push(const Claims& claims);

    [[nodiscard]] index_t children() const { return static_cast<index_t>(states_.size()); }
    [[nodiscard]] std::span<const double> evidence() const { return evidence_; }   // nats
    [[nodiscard]] std::span<const std::int8_t> reason() const { return reason_; }  // of the evidence
    [[nodiscard]] std::span<const std::int8_t> quarantine() const {
        return quarantine_;
    }  // why it went in; 0: it is not
    // Of the children that reported in the last push: the share that repeated itself (told above `common`, too), and
    // the share with evidence above `limit`.
    [[nodiscard]] double repeating() const { return repeating_; }
    [[nodiscard]] double suspected() const { return suspected_; }
    [[nodiscard]] index_t memory_bytes() const;

  private:
    struct State {
        std::vector<double> windows;  // X, A, B of each decay
        std::vector<std::uint64_t> prints;
        double done = 0.0, missed = 0.0, squares = 0.0, repeated = 0.0;
        index_t seen = 0, quiet = 0, matches = 0;
        std::int8_t again = 0;  // kind of the last repetition
        bool matched = false;
    };
    struct Held {
        double nats = 0.0;
        LieReason reason = LieReason::kNone;
        void raise(double other, LieReason why) {
            if (other > nats) *this = {other, why};
        }
    };
    void look_for_repeats(const Claims& claims);
    void match(State& state, std::uint64_t print) const;
    [[nodiscard]] Held judge(State& state, const Claims& claims, std::size_t child) const;
    void level(State& state, double made, double least, double most, Held& held) const;
    void balance(State& state, double made, double done, double missed, Held& held) const;
    index_t release();
    index_t admit();

    LieOptions options_;
    std::vector<State> states_;
    double repeating_ = 0.0, suspected_ = 0.0;
    std::vector<double> evidence_;
    std::vector<std::int8_t> reason_, quarantine_;
};

}  // namespace tiertwin::assure
