#include "localise/subsets.hpp"

#include <functional>

namespace tiertwin::localise {

double subsets_cost(const Part& part, const Members& list) {
    std::vector<std::size_t> size;
    for (const std::int32_t c : list) size.push_back(part.of(static_cast<std::size_t>(c)).size());
    std::ranges::sort(size, std::greater<>());
    double cost = 0.0, times = 1.0;
    for (const std::size_t alarms : size) {
        cost += times * static_cast<double>(alarms + 2);
        times *= 2.0;
    }
    return cost;
}

Subsets::Subsets(const Part& part, const Members& fixed, const Members& shortlist, std::size_t smallest)
    : part_(part), fixed_(fixed), list_(shortlist), smallest_(smallest), chosen_(fixed), kept_(shortlist.size()) {
    std::ranges::stable_sort(list_, [&](std::int32_t a, std::int32_t b) {
        return part.of(static_cast<std::size_t>(a)).size() > part.of(static_cast<std::size_t>(b)).size();
    });
    const Standing start(part, fixed);
    score_ = start.score();
    exposure_ = start.exposures();
    for (const double x : exposure_) ln_alarm_.push_back(ln_alarm(x));
    for (std::size_t k = 0; k < list_.size(); ++k)
        kept_[k].resize(2 * part.of(static_cast<std::size_t>(list_[k])).size());
}

void Subsets::sum(Mass& mass) {
    mass_ = &mass;
    const double total = visit(0, score_);
    mass.add_total(total);
    for (const std::int32_t c : fixed_) mass.credit(c, total);
}

double Subsets::visit(std::size_t position, double score) {
    if (position == list_.size()) return leaf(score);
    const double outside = visit(position + 1, score);
    const double gain = enter(position);
    const double inside = visit(position + 1, score + gain);
    leave(position);
    mass_->credit(list_[position], inside);
    return outside + inside;
}

double Subsets::leaf(double score) {
    if (chosen_.size() < smallest_) return 0.0;
    mass_->offer(score, chosen_);
    return mass_->weight(score);
}

double Subsets::enter(std::size_t position) {
    const auto c = static_cast<std::size_t>(list_[position]);
    double gain = part_.plain[c];
    auto* kept = kept_[position].data();
    for (const auto& to : part_.of(c)) {
        const auto i = static_cast<std::size_t>(to.observation);
        *kept++ = exposure_[i];
        *kept++ = ln_alarm_[i];
        exposure_[i] += to.exposure;
        const double now = ln_alarm(exposure_[i]);
        gain += now - ln_alarm_[i];
        ln_alarm_[i] = now;
    }
    chosen_.push_back(list_[position]);
    return gain;
}

void Subsets::leave(std::size_t position) {
    const auto* kept = kept_[position].data();
    for (const auto& to : part_.of(static_cast<std::size_t>(list_[position]))) {
        const auto i = static_cast<std::size_t>(to.observation);
        exposure_[i] = *kept++;
        ln_alarm_[i] = *kept++;
    }
    chosen_.pop_back();
}

}  // namespace tiertwin::localise
