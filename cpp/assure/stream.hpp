// Is a value of a stream anomalous? Many series at once, seasons included, in memory that does not grow.
//
//   local      r = x - l_g             l_g a level that follows x with gain g, one for each of `gains`
//   seasonal   r = x - p(t)            p a profile of `slots` parts of a period, each with the running mean of its
//   visits and/or     r = m - p(t)            m a short mean of x (gain `short_gain`) rare       of each r: -log10 of
//   its tail probability by what came before (tail.hpp, both sides) score      S = the largest of them, minus `recur` x
//   what was as rare at this time of earlier periods:
//              M(t) = the largest S of this slot and its neighbours in earlier periods, times `keep` a period.
//              A peak that comes every day at about the same time is no anomaly.
//   pattern    score = max(S, that of a new mix of values in a window: pattern.hpp)
//   alarm      the score where it is > `least` and `hold` samples passed since the last alarm, or it is > `again` x the
//              score of that + 1; else 0.
//              The hold-off is the first step of de-duplication: one alarm an event, a second if it gets much worse.
//
// Source    Ours; parts: exponential smoothing, Pareto tails (tail.hpp). -log10 of a tail probability of residuals is
//           the anomaly likelihood of A. Lavin, S. Ahmad (ICMLA 2015, DOI 10.1109/ICMLA.2015.141) with another tail.
// Missing   NaN: score and alarm 0, nothing is learnt, `hold` does not count it. An all-missing series never alarms.
// After
//           more than `gap` of them in a row levels and short mean begin anew with the values that come: what they were
//           is of another hour; so does the window of the mixes. Profiles judge on. The short mean is judged once it is
//           one of 2 / short_gain - 1.
// Constant  0 for ever. A series that never moved for `warm` samples and then does is as rare as 1 / (n + 1).
// Clock     times may stand still but not go backwards: InvalidArgument, nothing of the call is taken.
// Invariant x -> a x + b leaves scores and alarms as they are (up to rounding), a < 0 too.
// Costs     about 0.25 us a sample (5 residuals, some mixes). Memory: 16 bytes a slot, 96 a residual, 6 KB for the
// mixes. Thread    one thread owns it.
#pragma once

#include <span>
#include <vector>

#include "assure/pattern.hpp"
#include "assure/tail.hpp"
#include "base/types.hpp"

namespace tiertwin::assure {

struct ProfileOptions {
    double period_s = 86'400.0, gain = 0.1;
    index_t slots = 96, visits = 3;  // visits: of a slot before it is judged
    bool value = true, mean = true;  // judge x, the short mean, or both
};

struct StreamOptions {
    std::vector<double> gains{0.05, 0.02};
    std::vector<ProfileOptions> profiles{{}, {604'800.0, 0.05, 168, 2, false, true}};
    double short_gain = 0.2, scale_gain = 0.002;
    TailOptions tail;
    PatternOptions pattern;
    index_t warm = 50;
    double recur = 0.8, keep = 0.9, recur_period_s = 86'400.0;
    index_t recur_slots = 48, hold = 100, gap = 12;
    double least = 4.0, again = 2.0;
};

class StreamWatch {
  public:
    StreamWatch(index_t series, StreamOptions options);  // InvalidArgument

    // Rows × series in; score and alarm of the same shape out. `times_s`: one a row.
    void push(std::span<const double> values, std::span<const double> times_s, std::span<double> score,
              std::span<double> alarm);

    [[nodiscard]] index_t series() const { return static_cast<index_t>(states_.size()); }
    [[nodiscard]] index_t memory_bytes() const;

  private:
    struct Slot {
        double mean = 0.0, visits = 0.0;
    };
    struct State {
        Pattern pattern;
        std::vector<double> levels;
        std::vector<Slot> slots;  // of all profiles, one after another
        std::vector<TwoTails> tails;
        std::vector<double> peaks;  // M of each slot
        double seen = 0.0, fresh = 0.0, mean = 0.0, slot_peak = 0.0, last_score = 0.0;
        index_t slot = -1, since = 0, missing = 0;
    };
    [[nodiscard]] double rarest(State& state, double value, double time_s);
    void follow(State& state, double value, double time_s) const;
    [[nodiscard]] double without_recurring(State& state, double score, double time_s) const;
    [[nodiscard]] double alarm_of(State& state, double score) const;

    StreamOptions options_;
    std::size_t profile_slots_ = 0, residuals_ = 0;
    double newest_s_;
    std::vector<State> states_;
};

}  // namespace tiertwin::assure
