#include "localise/rivals.hpp"

#include <utility>

#include "localise/subsets.hpp"

namespace tiertwin::localise {
namespace {

constexpr double kTelling = 6.907755278982137;  // ln 1000

Members rest_of(const Members& best, std::int32_t gone) {
    Members rest;
    std::ranges::copy_if(best, std::back_inserter(rest), [gone](std::int32_t c) { return c != gone; });
    return rest;
}

void add_rivals(const Part& part, const Members& order, const Standing& best, std::int32_t gone, double least,
                double& work, std::vector<Rival>& found) {
    const Standing rest = gone < 0 ? best : Standing(part, rest_of(best.members(), gone));
    work -= static_cast<double>(part.background.size());
    for (const std::int32_t c : order) {
        if (work < 0.0) return;
        if (rest.score() + part.gain[static_cast<std::size_t>(c)] < least) break;
        if (best.has(c)) continue;
        work -= static_cast<double>(part.of(static_cast<std::size_t>(c)).size());
        const double score = rest.score() + rest.gain(c);
        if (score >= least) found.push_back({c, gone, score});
    }
}

// (key, cause) pairs, largest key first, ties to the lowest cause.
using Ranked = std::vector<std::pair<double, std::int32_t>>;
void rank(Ranked& ranked) {
    std::ranges::sort(ranked, [](const auto& a, const auto& b) {
        return a.first > b.first || (a.first == b.first && a.second < b.second);
    });
}

// Each rival cause once, by its best score.
Ranked strongest(const std::vector<Rival>& rivals, std::size_t causes) {
    constexpr double kNone = -1e300;
    std::vector<double> score(causes, kNone);
    for (const auto& rival : rivals) {
        auto& own = score[static_cast<std::size_t>(rival.cause)];
        own = std::max(own, rival.score);
    }
    Ranked ranked;
    for (std::size_t c = 0; c < causes; ++c)
        if (score[c] > kNone) ranked.emplace_back(score[c], static_cast<std::int32_t>(c));
    rank(ranked);
    return ranked;
}

}  // namespace

std::vector<Rival> rivals(const Part& part, const Members& order, const Members& best, double cutoff, double& work) {
    const Standing set(part, best);
    std::vector<Rival> found;
    add_rivals(part, order, set, -1, set.score() - cutoff, work, found);
    for (const std::int32_t m : best) {
        if (work < 0.0) break;
        add_rivals(part, order, set, m, set.score() - cutoff, work, found);
    }
    return found;
}

Shortlist shortlist(const Part& part, const Members& best, const std::vector<Rival>& rivals, std::size_t room,
                    double work) {
    const Standing set(part, best);
    Shortlist found{best, {}};
    while (room > 2 && best.size() <= room && subsets_cost(part, best) > work) --room;
    if (best.size() > room) {
        Ranked missed;  // least missed first
        for (const std::int32_t m : best) missed.emplace_back(-set.loss(m), m);
        rank(missed);
        found = {};
        for (std::size_t k = 0; k < missed.size(); ++k)
            (2 * k < room ? found.list : found.fixed).push_back(missed[k].second);
        found.everybody = false;
    }
    for (const auto& [rival, cause] : strongest(rivals, part.causes())) {
        found.list.push_back(cause);
        if (found.list.size() <= room && subsets_cost(part, found.list) <= work) continue;
        found.list.pop_back();
        if (rival > set.score() - kTelling) found.everybody = false;
    }
    std::ranges::sort(found.list);
    std::ranges::sort(found.fixed);
    return found;
}

}  // namespace tiertwin::localise
