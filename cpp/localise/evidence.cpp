#include "localise/evidence.hpp"

#include <numeric>
#include <string>

#include "base/error.hpp"

namespace tiertwin::localise {

Evidence::Evidence(std::shared_ptr<const Influences> model) : model_(std::move(model)) { forget(); }

void Evidence::forget() {
    state_.assign(model_->observations(), State::kMissing);
    gain_.assign(model_->causes(), 0.0);
    touched_.assign(model_->causes(), 1);
    stale_.resize(model_->causes());
    std::iota(stale_.begin(), stale_.end(), 0);
}

void Evidence::observe(std::span<const index_t> observation, std::span<const std::int32_t> state) {
    if (observation.size() != state.size())
        throw InvalidArgument("state: expected " + std::to_string(observation.size()) +
                              " states, one an observation, got " + std::to_string(state.size()));
    for (std::size_t k = 0; k < state.size(); ++k) {
        if (observation[k] < 0 || observation[k] >= static_cast<index_t>(model_->observations()))
            throw InvalidArgument("observation " + std::to_string(observation[k]) + ": expected 0 to " +
                                  std::to_string(model_->observations()) + " - 1");
        if (state[k] < -1 || state[k] > 1)
            throw InvalidArgument("state[" + std::to_string(k) + "]: expected 1 (alarm), 0 (silent) or -1 (missing)" +
                                  ", got " + std::to_string(state[k]));
    }
    for (std::size_t k = 0; k < state.size(); ++k) {
        const auto i = static_cast<std::size_t>(observation[k]);
        const auto next = static_cast<State>(state[k]);
        if (state_[i] == next) continue;
        state_[i] = next;
        for (const std::int32_t cause : model_->causes_of(i)) {
            auto& touched = touched_[static_cast<std::size_t>(cause)];
            if (touched == 0) stale_.push_back(cause);
            touched = 1;
        }
    }
}

std::span<const double> Evidence::gains() {
    for (const std::int32_t cause : stale_) {
        gain_[static_cast<std::size_t>(cause)] = gain(static_cast<std::size_t>(cause));
        touched_[static_cast<std::size_t>(cause)] = 0;
    }
    stale_.clear();
    return gain_;
}

double Evidence::gain(std::size_t cause) const {
    double gain = model_->log_odds(cause);
    for (const auto& influence : model_->of(cause)) {
        const State state = state_[static_cast<std::size_t>(influence.observation)];
        if (state == State::kSilent) gain -= influence.exposure;
        if (state == State::kAlarm) gain += influence.lift;
    }
    return gain;
}

}  // namespace tiertwin::localise
