#include "whatif/failures.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "base/index.hpp"

namespace tiertwin {
namespace {

// One row of pairs: element `gone` fails, then each of the others by one search with low points.
class PairRow {
  public:
    explicit PairRow(const Core& core) : core_(core), tree_(core.rows(), core.ends()) {}

    void fill(std::size_t gone, std::span<double> row) {
        const std::int32_t node = core_.node_of(gone), cable = core_.cable_of(gone);
        tree_.search(
            core_.roots(), [=](const Cables::End& end) { return end.cable != cable && end.head != node; },
            [node](std::int32_t root) { return root != node; });
        const std::size_t columns = core_.columns(), elements = row.size() / std::max<std::size_t>(columns, 1);
        alone_.assign(columns, 0.0);
        for (std::int32_t u = 0; u < core_.nodes(); ++u)
            if (!tree_.has(u)) add(core_.weights(u), alone_);
        for (std::size_t e = 0; e < elements; ++e) std::ranges::copy(alone_, row.begin() + offset(e));
        add_second(row);
    }

  private:
    static void add(std::span<const double> some, std::span<double> to) {
        for (std::size_t c = 0; c < to.size(); ++c) to[c] += some[c];
    }
    [[nodiscard]] std::ptrdiff_t offset(std::size_t element) const {
        return static_cast<std::ptrdiff_t>(element * core_.columns());
    }

    void add_second(std::span<double> row) {
        const std::size_t columns = core_.columns();
        const auto places = tree_.places();
        const auto of = [&](std::int32_t element) { return row.subspan(at(element) * columns, columns); };
        total_.clear();
        for (const LowLink::Place& place : places) {
            const auto own = core_.weights(place.node);
            total_.insert(total_.end(), own.begin(), own.end());
            if (const std::int32_t e = core_.element_of_node(place.node); e >= 0) add(own, of(e));
        }
        sum_subtrees(places, columns, total_, [&](std::int32_t parent, std::span<const double> sums) {
            if (const std::int32_t e = core_.element_of_node(places[at(parent)].node); e >= 0) add(sums, of(e));
        });
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (places[i].parent < 0 || at(places[i].low) != i) continue;
            if (const std::int32_t e = core_.element_of_cable(places[i].cable); e >= 0)
                add(std::span(total_).subspan(i * columns, columns), of(e));
        }
    }

    const Core& core_;
    LowLink tree_;
    std::vector<double> alone_, total_;
};

// What a scenario cuts off: a plain search from the roots, then the sum over what it did not meet.
class OneScenario {
  public:
    explicit OneScenario(const Core& core) : core_(core), met_(at(core.nodes()), -1), node_gone_(met_.size(), -1) {}

    void fill(std::int32_t number, std::span<const index_t> elements, std::span<double> lost) {
        cables_.clear();
        for (const index_t e : elements) {
            if (const std::int32_t node = core_.node_of(at(e)); node >= 0) node_gone_[at(node)] = number;
            if (const std::int32_t cable = core_.cable_of(at(e)); cable >= 0) cables_.push_back(cable);
        }
        std::ranges::sort(cables_);
        reach(number);
        std::ranges::fill(lost, 0.0);
        for (std::int32_t u = 0; u < core_.nodes(); ++u) {
            if (met_[at(u)] == number) continue;
            const auto weights = core_.weights(u);
            for (std::size_t c = 0; c < lost.size(); ++c) lost[c] += weights[c];
        }
    }

  private:
    void reach(std::int32_t number) {
        open_.clear();
        const auto meet = [&](std::int32_t node) {
            if (met_[at(node)] == number || node_gone_[at(node)] == number) return;
            met_[at(node)] = number;
            open_.push_back(node);
        };
        for (const std::int32_t root : core_.roots()) meet(root);
        while (!open_.empty()) {
            const std::int32_t node = open_.back();
            open_.pop_back();
            for (const Cables::End& end : core_.ends(node))
                if (core_.element_of_cable(end.cable) < 0 || !std::ranges::binary_search(cables_, end.cable))
                    meet(end.head);
        }
    }

    const Core& core_;
    std::vector<std::int32_t> met_, node_gone_;  // the scenario in which a core node was met, failed
    std::vector<std::int32_t> cables_, open_;
};

}  // namespace

void failure_pairs(const Core& core, std::size_t first, std::size_t last, std::span<double> lost) {
    if (first >= last) return;
    PairRow row(core);
    const std::size_t width = lost.size() / (last - first);
    for (std::size_t i = first; i < last; ++i) row.fill(i, lost.subspan((i - first) * width, width));
}

void require_scenarios(const Scenarios& scenarios, std::size_t known) {
    const auto start = scenarios.start;
    const auto elements = static_cast<index_t>(scenarios.element.size());
    if (start.empty() || start.front() != 0 || start.back() != elements || !std::ranges::is_sorted(start))
        throw InvalidArgument("expected `start` to count up from 0 to the " + std::to_string(elements) +
                              " elements named, one entry more than scenarios");
    for (const index_t e : scenarios.element)
        if (e < 0 || at(e) >= known)
            throw InvalidArgument("a scenario fails element " + std::to_string(e) + ", but there are " +
                                  std::to_string(known) + " (cables first, then nodes, numbered from 0)");
}

void failure_scenarios(const Core& core, const Scenarios& scenarios, std::span<double> lost) {
    OneScenario one(core);
    for (std::size_t s = 0; s < scenarios.size(); ++s) {
        const auto from = at(scenarios.start[s]), to = at(scenarios.start[s + 1]);
        one.fill(static_cast<std::int32_t>(s), scenarios.element.subspan(from, to - from),
                 lost.subspan(s * core.columns(), core.columns()));
    }
}

}  // namespace tiertwin
