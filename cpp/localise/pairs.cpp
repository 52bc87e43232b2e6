#include "localise/pairs.hpp"

namespace tiertwin::localise {
namespace {

// What all alarms would bring if they were certain.
double most_explained(const Part& part) {
    double most = 0.0;
    for (const double background : part.background) most -= ln_alarm(background);
    return most;
}

// score({j, k}) - gain_j, `set` being {j}, `touched` its alarms: away from those, k adds what it adds alone.
double second_gain(const Part& part, const Standing& set, const std::vector<std::uint8_t>& touched, std::int32_t k) {
    double gain = part.gain[static_cast<std::size_t>(k)];
    for (const auto& to : part.of(static_cast<std::size_t>(k))) {
        const auto i = static_cast<std::size_t>(to.observation);
        if (touched[i] == 0) continue;
        const double x = set.exposures()[i];
        gain += ln_alarm(x + to.exposure) - ln_alarm(x) - to.lift;
    }
    return gain;
}

}  // namespace

bool add_pairs(const Part& part, const Members& order, double reference, double cutoff, double work, Mass& mass) {
    const double most = most_explained(part), least = reference - cutoff;
    std::vector<std::uint8_t> touched(part.background.size(), 0);
    for (std::size_t a = 0; a + 1 < order.size(); ++a) {
        const auto j = static_cast<std::size_t>(order[a]);
        if (part.gain[j] + part.gain[static_cast<std::size_t>(order[a + 1])] < least) break;
        const Standing set(part, {order[a]});
        for (const auto& to : part.of(j)) touched[static_cast<std::size_t>(to.observation)] = 1;
        work -= static_cast<double>(part.background.size());
        for (std::size_t b = a + 1; b < order.size(); ++b) {
            const auto k = static_cast<std::size_t>(order[b]);
            if (part.gain[j] + part.gain[k] < least) break;
            if (part.plain[j] + part.plain[k] + most < least) continue;
            work -= static_cast<double>(part.of(k).size());
            if (work < 0.0) return false;
            const double score = part.gain[j] + second_gain(part, set, touched, order[b]);
            mass.add(score, {order[a], order[b]});
        }
        for (const auto& to : part.of(j)) touched[static_cast<std::size_t>(to.observation)] = 0;
    }
    return true;
}

}  // namespace tiertwin::localise
