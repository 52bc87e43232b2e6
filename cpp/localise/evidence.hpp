// What has been observed so far, and what each cause alone explains of it.
//
//   gain(c) = o_c - sum_{silent i} w_ci + sum_{alarms i} [f(l_i + w_ci) - f(l_i)]
//
// is the log-odds of {c} against no cause at all. f is concave, so what c adds to any other causes is never more. An
// observation that is missing says nothing. Evidence may come one sample at a time, in any order, and be taken back:
// gains depend on the newest states alone, bit for bit.
//
// Thread safety  one owner.
// Costs          observe: O(causes of the observation); gains: O(influences of the causes touched since).
#pragma once

#include <memory>

#include "localise/influences.hpp"

namespace tiertwin::localise {

enum class State : std::int8_t { kMissing = -1, kSilent = 0, kAlarm = 1 };

class Evidence {
  public:
    explicit Evidence(std::shared_ptr<const Influences> model);

    // States of some observations: 1 alarm, 0 silent, -1 missing. Throws InvalidArgument before anything is taken.
    void observe(std::span<const index_t> observation, std::span<const std::int32_t> state);
    void forget();  // all missing again

    [[nodiscard]] const Influences& model() const { return *model_; }
    [[nodiscard]] std::span<const State> states() const { return state_; }
    // Up to date until the next observe.
    [[nodiscard]] std::span<const double> gains();

  private:
    [[nodiscard]] double gain(std::size_t cause) const;

    std::shared_ptr<const Influences> model_;
    std::vector<State> state_;
    std::vector<double> gain_;
    std::vector<std::uint8_t> touched_;
    std::vector<std::int32_t> stale_;  // causes touched since the gains were last asked for
};

}  // namespace tiertwin::localise
