// Interior-point method for shared capacity among users with options (fair_problem.hpp), for millions of options.
//
// Scaled (x in shares of D_u, resources in shares of their capacity, floors in shares of themselves, values in units of
// the mean worth), with prices z of x, m of the demand, l of the loads, pi of the floors (f_u = D_u over the floor):
//
//   l.a_k + cost_k + m_u - p_u - f_u pi - z_k = 0      p_u y_u^alpha = W_u      y_u + s_u = 1    sum_k a_k x_k + t =
//   limit l = pi_r + e,  e (1 - load)^2 = kappa              sum_u f_u y_u + shortfall = 1 + over      rest = M - pi x
//   z = s m = t pi_r = over pi = shortfall rest = mu -> 0
//
// The start holds the linear equations exactly with everything inside its bounds, and steps keep them: every iterate is
// a feasible plan and feasible prices, so there is always an answer, whatever the iteration limit. Each user is a
// diagonal plus rank one and is eliminated; what is left is one system of the resources and floors (normal.hpp).
// Predictor and corrector after Mehrotra (1992).
//
// A price p (or e) that would fall below a tenth in one step is kept there, and what is then missing in its line, the
// same for all options of the user, is made up for by the next step. Users and rows worth less than 1e-4 of the mean
// have a smaller part of mu.
//
//   Cost of an iteration  O(options + entries + sum_u n_u^2) and one factorisation of the rows; 8-20 are usual
//
// Thread safety  one thread owns a solver, and may lend it others (RunParts); the answer depends on nothing but the
// arguments. Returns        the best plan and the best prices among the iterates, both by their own merit, with the
// certificate
//                gap = (bound - value) / S computed from them alone (price_bound, evaluate), not from the iteration.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "alloc/fair_layout.hpp"
#include "alloc/fair_problem.hpp"
#include "alloc/normal.hpp"

namespace tiertwin::alloc {

struct FairAnswer {
    std::vector<double> x, price, load;
    std::vector<double> floor_price, shortfall;  // [S]
    FairWorth worth;
    double bound = 0.0, gap = 0.0;
    index_t iterations = 0;
    bool stopped = false;  // because `stop` said so
};

// Where to begin: the plan and prices of an earlier answer, to other data of the same structure. Empty: cold.
struct FairStart {
    std::span<const double> x = {}, price = {}, floor_price = {};
};

inline constexpr std::size_t kManyOptions = 50000;  // below, one part: threads would not pay

// Does part(0) .. part(parts - 1), in any order and at the same time if it likes, and returns when all are done. Users
// are shared out by the size of the problem alone (from 50 000 options on), and what parts add up is added in their
// order: the answer is the same to the bit, whoever runs them.
using RunParts = std::function<void(std::size_t parts, const std::function<void(std::size_t)>& part)>;

// When to stop: the certified gap is at most `tolerance`, so many iterations are done, or `stop` says so. It is asked
// once before each iteration, and the answer is the best so far; what it throws goes to the caller.
struct FairLimits {
    index_t iterations = 100;
    double tolerance = 1e-3;
    std::function<bool()> stop = {};
    RunParts run = {};  // empty: parts are done one after another
};

struct FairWork;

class FairSolver {
  public:
    explicit FairSolver(const Options& options);  // `options` must outlive it
    ~FairSolver();

    // Stops at a limit, or when no step gets further.
    [[nodiscard]] FairAnswer solve(const FairProblem& problem, const FairStart& start, const FairLimits& limits);

  private:
    void arrange(const FairProblem& problem);
    [[nodiscard]] FairAnswer attempt(const FairProblem& problem, const FairStart& start, const FairLimits& limits);
    const Options& options_;
    std::unique_ptr<FairLayout> layout_;
    std::unique_ptr<NormalMatrix> normal_;
    std::vector<std::int32_t> floor_of_;  // that layout and matrix were made for
    std::size_t floors_ = 0;
    std::unique_ptr<FairWork> work_;
};

}  // namespace tiertwin::alloc
