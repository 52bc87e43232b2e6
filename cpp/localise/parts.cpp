#include "localise/parts.hpp"

#include <numeric>

namespace tiertwin::localise {
namespace {

// Disjoint sets of causes; the root of a set is its lowest cause.
class Sets {
  public:
    explicit Sets(std::size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), 0); }
    std::int32_t root(std::int32_t c) {
        while (of(c) != c) c = of(c) = of(of(c));
        return c;
    }
    void join(std::int32_t a, std::int32_t b) {
        a = root(a), b = root(b);
        if (a < b) of(b) = a;
        if (b < a) of(a) = b;
    }

  private:
    std::int32_t& of(std::int32_t c) { return parent_[static_cast<std::size_t>(c)]; }
    std::vector<std::int32_t> parent_;
};

bool explains(const Influence& influence, std::span<const State> states) {
    return influence.exposure > 0.0 && states[static_cast<std::size_t>(influence.observation)] == State::kAlarm;
}

// Adds a cause with its alarms; `place` is where the part keeps an alarm, -1: not yet.
void append(Part& part, std::int32_t c, double gain, const Evidence& evidence, std::vector<std::int32_t>& place) {
    const Influences& model = evidence.model();
    double plain = model.log_odds(static_cast<std::size_t>(c));
    for (const auto& influence : model.of(static_cast<std::size_t>(c))) {
        const auto i = static_cast<std::size_t>(influence.observation);
        if (evidence.states()[i] == State::kSilent) plain -= influence.exposure;
        if (!explains(influence, evidence.states())) continue;
        if (place[i] < 0) {
            place[i] = static_cast<std::int32_t>(part.background.size());
            part.background.push_back(model.background(i));
        }
        part.influence.push_back({place[i], influence.exposure, influence.lift});
    }
    part.cause.push_back(c);
    part.plain.push_back(plain);
    part.gain.push_back(gain);
    part.first.push_back(part.influence.size());
}

}  // namespace

std::vector<Part> parts_of(Evidence& evidence, double cutoff) {
    const auto gains = evidence.gains();
    const Influences& model = evidence.model();
    Sets sets(model.causes());
    std::vector<std::int32_t> kept, last(model.observations(), -1);  // last: a cause of each alarm
    for (std::size_t c = 0; c < model.causes(); ++c) {
        if (gains[c] < -cutoff) continue;
        bool any = false;
        for (const auto& influence : model.of(c)) {
            if (!explains(influence, evidence.states())) continue;
            any = true;
            auto& other = last[static_cast<std::size_t>(influence.observation)];
            if (other >= 0) sets.join(other, static_cast<std::int32_t>(c));
            other = static_cast<std::int32_t>(c);
        }
        if (any) kept.push_back(static_cast<std::int32_t>(c));
    }
    std::vector<std::int32_t> number(model.causes(), -1), place(model.observations(), -1);
    std::vector<Part> parts;
    for (const std::int32_t c : kept) {
        auto& part = number[static_cast<std::size_t>(sets.root(c))];
        if (part < 0) {
            part = static_cast<std::int32_t>(parts.size());
            parts.emplace_back().first.push_back(0);
        }
        append(parts[static_cast<std::size_t>(part)], c, gains[static_cast<std::size_t>(c)], evidence, place);
    }
    return parts;
}

}  // namespace tiertwin::localise
