#include "localise/posterior.hpp"

#include "localise/pairs.hpp"
#include "localise/rivals.hpp"
#include "localise/subsets.hpp"

namespace tiertwin::localise {
namespace {

struct Answer {
    Mass mass;
    Members best;
    double score;
    bool complete;
};

// Exact: all sets of all causes.
Mass summed_up(const Part& part, const Members& all, const Members& best) {
    Mass mass(part.causes(), Standing(part, best).score());
    Subsets(part, {}, all, 0).sum(mass);
    return mass;
}

void add_small_sets(const Part& part, Mass& mass) {
    mass.add(0.0, {});
    for (std::size_t c = 0; c < part.causes(); ++c) mass.add(part.gain[c], {static_cast<std::int32_t>(c)});
}

Members set_of(const Rival& rival, const Members& best) {
    Members set(1, rival.cause);
    std::ranges::copy_if(best, std::back_inserter(set), [&](std::int32_t m) { return m != rival.gone; });
    return set;
}

// Rivals whose sets were neither a pair nor sets of the shortlist. Members of the best set have a part in each rival
// but those that stand in their own place: credited once, not rival by rival.
void add_rivals(const std::vector<Rival>& rivals, const Members& best, const Members& list, Mass& mass) {
    double total = 0.0;
    for (const auto& rival : rivals) {
        const std::size_t size = best.size() + (rival.gone < 0 ? 1u : 0u);
        if (size < 3 || std::ranges::binary_search(list, rival.cause)) continue;
        const double weight = mass.weight(rival.score);
        total += weight;
        mass.credit(rival.cause, weight);
        if (rival.gone >= 0) mass.credit(rival.gone, -weight);
        if (mass.beats(rival.score)) mass.offer(rival.score, set_of(rival, best));
    }
    mass.add_total(total);
    for (const std::int32_t m : best) mass.credit(m, total);
}

Answer around(const Part& part, const Members& order, const Members& best, const Limits& limits, double work) {
    const double score = Standing(part, best).score();
    if (part.causes() <= limits.shortlist && subsets_cost(part, order) <= work)
        return {summed_up(part, order, best), best, score, true};
    Mass mass(part.causes(), score);
    add_small_sets(part, mass);
    const bool all_pairs = add_pairs(part, order, score, limits.cutoff, work, mass);
    double left = work;
    const auto near = rivals(part, order, best, limits.cutoff, left);
    const Shortlist chosen = shortlist(part, best, near, limits.shortlist, work);
    Subsets(part, chosen.fixed, chosen.list, 3).sum(mass);
    add_rivals(near, best, chosen.list, mass);
    return {std::move(mass), best, score, all_pairs && chosen.everybody && left >= 0.0};
}

Answer solve(const Part& part, const Limits& limits, double work) {
    const Members order = by_gain(part);
    double swaps = work;
    Answer answer = around(part, order, improved(part, order, greedy(part, order), swaps), limits, work);
    for (int again = 0; again < 8 && answer.mass.surpassed(); ++again) {
        const Members better = answer.mass.best();
        answer = around(part, order, improved(part, order, better, swaps), limits, work);
    }
    answer.complete = answer.complete && swaps > 0.0;
    return answer;
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace

Posterior posterior(Evidence& evidence, const Limits& limits) {
    const auto parts = parts_of(evidence, limits.cutoff);
    Posterior found;
    found.parts = parts.size();
    for (const double gain : evidence.gains()) found.probability.push_back(sigmoid(gain));
    std::vector<std::uint8_t> settled(found.probability.size(), 0);
    const double work = limits.work / static_cast<double>(std::max<std::size_t>(parts.size(), 5));
    for (const Part& part : parts) {
        const Answer answer = solve(part, limits, work);
        for (std::size_t c = 0; c < part.causes(); ++c) {
            const auto cause = static_cast<std::size_t>(part.cause[c]);
            found.probability[cause] = answer.mass.share(c);
            settled[cause] = 1;
        }
        for (const std::int32_t c : answer.best) found.best.push_back(part.cause[static_cast<std::size_t>(c)]);
        found.ln_best += answer.score - answer.mass.ln_total();
        found.complete = found.complete && answer.complete;
    }
    for (std::size_t c = 0; c < settled.size(); ++c) {  // causes without an alarm, each on its own
        if (settled[c] != 0) continue;
        if (found.probability[c] > 0.5) found.best.push_back(static_cast<std::int32_t>(c));
        found.ln_best += std::log(std::max(found.probability[c], 1.0 - found.probability[c]));
    }
    std::ranges::sort(found.best);
    return found;
}

}  // namespace tiertwin::localise
