// Member rows merged into group rows: the one kernel of every tier's upward path.
//
// Costs    a pass over the members an entry, about 3 ns a row (10 000 rows: 30 us); with `dirty` only groups that have
//          such a member are touched, each as a whole, so the result has the same bits as the full pass.
// Order    roster order (ascending row) inside each group; sums are compensated (Neumaier), so that any grouping agrees
//          to 1e-12 of the sum of magnitudes.
// Thread   that of the tables; nothing is kept between calls.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "abstraction/partition.hpp"
#include "abstraction/rule.hpp"
#include "state/table.hpp"

namespace tiertwin::abstraction {

// One rule at work: from `source` (its base, if partial) of the members to `target` (its base) of the summary.
struct PlanEntry {
    AttributeId source = 0;
    Rule rule = Rule::sum;
    AttributeId target = 0;
    bool partial = false;                              // the source is a summary by the same rule
    std::optional<AttributeId> weight = std::nullopt;  // wmean of raw values: the weights' attribute; without: 1
    double low = 0.0, high = 0.0;                      // hist: its range

    [[nodiscard]] index_t width() const;  // attributes it owns from `target` on
};

// Writes the merged cells into `out` (row = group) with time `now`; returns how many were written. With `deadband` a
// cell that moved within its attribute's dead-band is left alone for half its maximum age (StateTable::set); an age
// never is, as the same age a while later is news.
// InvalidArgument: rows differ from the partition's, a summary outside the target's range. NotFound: an attribute.
index_t summarize(const StateTable& members, const Partition& partition, std::span<const PlanEntry> plan,
                  StateTable& out, Time now, bool deadband = true,
                  std::optional<std::span<const std::uint32_t>> dirty = std::nullopt);

}  // namespace tiertwin::abstraction
