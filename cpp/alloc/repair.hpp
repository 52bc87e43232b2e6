// Feasible plans without an optimiser: repairs of an answer, plans carried over to new data, and a greedy plan.
//
//   repair    clip to x >= 0; scale rows over their demand down; scale every use of an overdrawn resource down by the
//   same
//             factor; what was taken goes to the device tier, as far as that is worth its cost there
//   refresh   a plan made for other demands: absolute rates kept, cut at the new demand, growth to the device tier
//   greedy    cells (group, tier) in order of what they save per share of resources, while these last (ladder step S6)
//   project   the nearest point (Euclidean, tasks/s) of { x >= 0, sum_t x <= d, use_own x <= 0.98 C, use_quota x <= r }
//
// Every result passes `evaluate` with violation 0 up to rounding (1e-12).
//
// Thread safety  pure functions; safe from any thread on distinct outputs.
// Requires       x of [G,T] (any numbers; NaN and infinity count as 0), quota empty (no limit) or [J] with r >= 0.
// Cost           repair, refresh O(G T (K + J)); greedy the same and a sort; project that times at most `kSweeps` * 60.
#pragma once

#include <span>

#include "alloc/leaf_problem.hpp"

namespace tiertwin::alloc {

inline constexpr index_t kSweeps = 200;  // rounds over all rows before `project` hands over to `repair`

void repair(const LeafProblem& problem, std::span<double> x, std::span<const double> quota);
void refresh(const LeafProblem& problem, std::span<double> x);
void greedy(const LeafProblem& problem, std::span<const double> quota, std::span<double> x);

// Returns the sweeps used; ends when every row holds to `tolerance` relative to its bound, then repairs the rest.
index_t project(const LeafProblem& problem, std::span<double> x, std::span<const double> quota, double tolerance);

}  // namespace tiertwin::alloc
