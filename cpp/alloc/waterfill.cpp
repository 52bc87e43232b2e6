#include "alloc/waterfill.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace tiertwin::alloc {

namespace {

void validate(std::span<const double> capacity, const Incidence& uses, std::span<const double> weights) {
    if (uses.offsets.size() != weights.size() + 1 || uses.offsets.front() != 0 ||
        uses.offsets.back() != static_cast<index_t>(uses.links.size()))
        throw InvalidArgument("offsets: expected " + std::to_string(weights.size() + 1) +
                              " numbers from 0 to the number of links listed, got " +
                              std::to_string(uses.offsets.size()));
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!(weights[i] > 0.0) || std::isinf(weights[i]))
            throw InvalidArgument("weights[" + std::to_string(i) + "]: expected a number > 0, got " +
                                  std::to_string(weights[i]));
        if (uses.offsets[i] >= uses.offsets[i + 1])
            throw InvalidArgument("flow " + std::to_string(i) + " crosses no link: its share would have no limit");
    }
    for (index_t link : uses.links)
        if (link < 0 || link >= static_cast<index_t>(capacity.size()))
            throw InvalidArgument("links: expected ids in 0.." + std::to_string(capacity.size()) +
                                  " (exclusive), got " + std::to_string(link));
    for (double c : capacity)
        if (!(c >= 0.0 && std::isfinite(c)))
            throw InvalidArgument("capacity: expected finite numbers >= 0, got " + std::to_string(c));
}

struct Link {
    double left;          // capacity not yet given to closed flows
    double weight = 0.0;  // of the flows still rising
    index_t rising = 0;   // their number: exact, where rounding may leave some weight
    std::vector<std::size_t> flows;
    [[nodiscard]] double full_at() const {
        return rising > 0 ? std::max(left, 0.0) / weight : std::numeric_limits<double>::infinity();
    }
};

std::span<const index_t> row(const Incidence& uses, std::size_t flow) {
    return uses.links.subspan(static_cast<std::size_t>(uses.offsets[flow]),
                              static_cast<std::size_t>(uses.offsets[flow + 1] - uses.offsets[flow]));
}

}  // namespace

index_t waterfill(std::span<const double> capacity, const Incidence& uses, std::span<const double> weights,
                  std::span<double> rates, double tolerance) {
    validate(capacity, uses, weights);
    std::vector<Link> links;
    for (double c : capacity) links.push_back({c, 0.0, 0, {}});
    for (std::size_t i = 0; i < weights.size(); ++i)
        for (index_t l : row(uses, i)) {
            Link& link = links[static_cast<std::size_t>(l)];
            link.weight += weights[i];
            ++link.rising;
            link.flows.push_back(i);
        }
    std::vector<char> closed(weights.size(), 0);
    index_t rounds = 0;
    for (std::size_t open = weights.size(); open > 0; ++rounds) {
        double level = std::numeric_limits<double>::infinity();
        for (const Link& link : links) level = std::min(level, link.full_at());
        const double limit = level * (1.0 + tolerance);
        for (Link& link : links) {
            if (!(link.full_at() <= limit)) continue;
            for (std::size_t i : link.flows) {
                if (closed[i]) continue;
                closed[i] = 1;
                --open;
                rates[i] = level * weights[i];
                for (index_t l : row(uses, i)) {
                    Link& crossed = links[static_cast<std::size_t>(l)];
                    crossed.left -= rates[i];
                    crossed.weight -= weights[i];
                    --crossed.rising;
                }
            }
        }
    }
    return rounds;
}

}  // namespace tiertwin::alloc
