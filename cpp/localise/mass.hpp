// Weights of sets of causes of one part, summed relative to a reference score.
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "localise/search.hpp"

namespace tiertwin::localise {

class Mass {
  public:
    Mass(std::size_t causes, double reference) : reference_(reference), best_score_(reference), of_(causes, 0.0) {}

    [[nodiscard]] double weight(double score) const { return std::exp(std::min(score - reference_, 600.0)); }
    void add(double score, std::initializer_list<std::int32_t> members) {
        const double w = weight(score);
        total_ += w;
        for (const std::int32_t c : members) credit(c, w);
        if (score > best_score_) best_score_ = score, best_ = members;
    }
    // A sum made elsewhere: its total, and the share of it a cause has.
    void add_total(double weight) { total_ += weight; }
    void credit(std::int32_t c, double weight) { of_[static_cast<std::size_t>(c)] += weight; }
    [[nodiscard]] bool beats(double score) const { return score > best_score_; }
    void offer(double score, const Members& members) {
        if (beats(score)) best_score_ = score, best_ = members;
    }
    // A set better than the reference by more than rounding: weights want a new reference.
    [[nodiscard]] bool surpassed() const { return best_score_ > reference_ + margin(reference_); }
    [[nodiscard]] Members best() const {
        Members sorted = best_;
        std::ranges::sort(sorted);
        return sorted;
    }
    [[nodiscard]] double share(std::size_t c) const { return std::clamp(of_[c] / total_, 0.0, 1.0); }  // rounding
    [[nodiscard]] double ln_total() const { return std::log(total_) + reference_; }

  private:
    double reference_, best_score_, total_ = 0.0;
    std::vector<double> of_;
    Members best_;
};

}  // namespace tiertwin::localise
