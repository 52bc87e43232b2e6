// What attributes are worth to decisions: relevance and causality for targets, over complexity; and who repeats whom.
//
//   C_a    sample entropy of a (entropy.hpp), divided by the largest of the zone: [0, 1], 0 for a constant
//   R_ya   strongest lagged rank correlation with target y (ranks.hpp)
//   G_ya   Granger gain of a for y (granger.hpp); 0 unless its p-value is at most `level`, adjusted over the zone's
//          attributes (Benjamini-Hochberg, one family a target)
//   V_ya   (wr R + wg G) / (1 + wc C), or wr R + wg G - wc C (`Form::difference`)
//   S_ab   |rho_rank(a, b)| at lag 0: redundancy, 1 on the diagonal
//   spread population standard deviation of what was seen: not part of V
//
// The sources of the parts are in their headers; the value that joins them is ours.
//
// Unknown  an attribute of which fewer than `least` samples were seen has value, relevance, gain and entropy 0 and
//          p-value 1, is in no family of tests and repeats nobody; so has every attribute for such a target. `seen`
//          says how many there were.
// Order    of zones, targets and attributes does not matter; attributes share C's scale and the family of tests.
// Costs    a push: 0.1-0.3 us a series, with sliding entropy 2 us. A score: 40 us and 25 us a target an attribute (with
//          sliding entropy 10 us and 25 us). All at 24 attributes, N = 600, L = 5, p = 3.
// Memory   20 N bytes a series, for ever.
// Thread   one thread owns a Worth; `score_windows` is pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "abstraction/entropy.hpp"
#include "abstraction/series.hpp"

namespace tiertwin::abstraction {

enum class Form : std::uint8_t { quotient, difference };

struct WorthOptions {
    index_t template_length = 2;                                // m
    double tolerance = 0.2;                                     // r, in standard deviations
    index_t lags = 5;                                           // L
    index_t order = 3;                                          // p
    index_t least = 16;                                         // samples
    double level = 0.01;                                        // of the F tests
    double relevance = 1.0, causality = 1.0, complexity = 0.5;  // weights wr, wg, wc >= 0
    Form form = Form::quotient;

    void check(index_t window) const;  // InvalidArgument
};

// Row-major: [zone][attribute], [zone][target][attribute], [zone][attribute][attribute].
struct Scores {
    std::vector<double> spread, entropy, complexity, relevance, gain, p_value, value, redundancy;
    std::vector<index_t> seen, lag;

    void resize(std::size_t zones, std::size_t attributes, std::size_t targets);
};

class Worth {
  public:
    // `sliding`: entropy by counts that follow each push, at an r fixed for a window (renewed every N pushes);
    // without, counted afresh at each score with the r of that window.
    Worth(index_t zones, index_t attributes, index_t targets, index_t window, const WorthOptions& options,
          bool sliding);

    // [zone][attribute] and [zone][target], NaN: not seen.
    void push(std::span<const double> values, std::span<const double> targets);
    [[nodiscard]] Scores score(std::span<const index_t> zones) const;  // NotFound: a zone

    [[nodiscard]] index_t zones() const { return zones_; }
    [[nodiscard]] index_t attributes() const { return attributes_; }
    [[nodiscard]] index_t targets() const { return targets_; }
    [[nodiscard]] const SeriesSet& attribute_series() const { return values_; }
    [[nodiscard]] index_t pushed() const { return pushed_; }

  private:
    [[nodiscard]] bool sliding() const { return !entropy_.empty(); }
    [[nodiscard]] bool renews(index_t series) const;
    void restart(index_t series);

    index_t zones_, attributes_, targets_, pushed_ = 0;
    WorthOptions options_;
    SeriesSet values_, goals_;
    std::vector<SlidingEntropy> entropy_;
    std::vector<std::int32_t> order_;
};

// The same of whole windows: values [zone][attribute][sample], targets [zone][target][sample].
[[nodiscard]] Scores score_windows(index_t zones, index_t attributes, index_t targets, index_t window,
                                   std::span<const double> values, std::span<const double> goals,
                                   const WorthOptions& options);

}  // namespace tiertwin::abstraction
