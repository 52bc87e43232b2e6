// The face of the leaf kernel: one data version of a leaf, solved many times.
//
// A solve is: suggestion of the interior point -> repair -> value by the independent checker -> cut at the suggested
// prices. So an answer is feasible and its cut valid however the suggestion turned out, and
//
//   certificate  gap = (phi + g.r - value) / S        (quota query)
//                gap = (phi - (value - g.use)) / S    (price query)
//
// proves how good it is.
//
// Thread safety  one thread owns a Leaf (it keeps work arrays); everything else in this folder is pure.
// Cost           20 groups x 4 tiers x 6 rows about 0.05 ms a solve (12 iterations), 2 000 groups 6 ms (20).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "alloc/cut.hpp"
#include "alloc/evaluate.hpp"
#include "alloc/interior_point.hpp"
#include "alloc/leaf_problem.hpp"

namespace tiertwin::alloc {

inline constexpr index_t kIterationLimit = 80;  // 12-30 are usual
inline constexpr double kTolerance = 1e-9;      // estimated gap over S at which a solve stops

struct Answer {
    std::vector<double> x;
    Evaluation worth;
    std::vector<double> use, own_load, own_price, quota_price;
    double phi = 0.0;
    double gap = 0.0;
    index_t iterations = 0;
};

class Leaf {
  public:
    explicit Leaf(LeafProblem problem) : problem_(std::move(problem)) {}
    Leaf(const Leaf&) = delete;  // the engines point into the problem
    Leaf& operator=(const Leaf&) = delete;

    [[nodiscard]] const LeafProblem& problem() const { return problem_; }

    // quota [J], price [J]: >= 0 (InvalidArgument); infinity in a quota means no limit.
    [[nodiscard]] Answer solve_quota(std::span<const double> quota, index_t iteration_limit);
    [[nodiscard]] Answer solve_price(std::span<const double> price, index_t iteration_limit);

  private:
    [[nodiscard]] Answer finish(Suggestion suggestion, std::span<const double> quota, std::span<const double> price);

    LeafProblem problem_;
    std::unique_ptr<InteriorPoint> by_quota_, by_price_;
};

}  // namespace tiertwin::alloc
