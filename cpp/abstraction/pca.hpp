// Has a zone changed? How far its attributes lie from what a few components of its recent past explain.
//
//   z = (x - mean) / std over the window;  P = leading eigenvectors of their correlation, the fewest whose eigenvalues
//   make up `share` of all;  e = |z - P Pᵀ z|;  flag: e > the q-quantile (nearest rank) of e over the window's samples
//
// The model is renewed every `every` pushes from sums that follow each push, and judges only samples that came after
// it. A sample comes into the window `delay` pushes late: what has just changed does not teach the model at once that
// it is normal (two of 200 outliers would lift the 99th percentile above themselves), yet every sample does in the end.
// The sums are over deviations from a fixed shift, and are taken afresh once a window, so that rounding does not grow.
//
// Source    J. E. Jackson, G. S. Mudholkar, Technometrics 21 (1979) 341 (residuals of principal components).
// Missing   stands as the mean of the model in force (before the first: of the values so far), where it says nothing.
// Constant  an attribute that did not move in the window has no part in z until the model is renewed.
// Before a full window there is no model: residual 0, threshold infinite, no flag.
// Costs     a push: 2 A² + 2 A k operations a zone; a renewal: about 10 A³ + N A k (A = 24, N = 300: 0.3 ms).
// Memory    8 A (N + delay + 3 A) bytes a zone, for ever.   Thread: one thread owns it.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::abstraction {

// Eigenvalues, descending, and eigenvectors (rows of `vectors`) of a symmetric row-major matrix, by Jacobi rotations.
// The sign of a vector is that of its largest entry: positive.
void symmetric_eigen(std::vector<double> matrix, std::size_t size, std::vector<double>& values,
                     std::vector<double>& vectors);

struct ChangeOptions {
    double share = 0.9, quantile = 0.99;
    index_t every = 10, delay = 0;
};

class ChangeWatch {
  public:
    ChangeWatch(index_t zones, index_t attributes, index_t window, const ChangeOptions& options);  // InvalidArgument

    // [zone][attribute] in; a residual and a threshold a zone out.
    void push(std::span<const double> values, std::span<double> residual, std::span<double> threshold);

    [[nodiscard]] index_t zones() const { return static_cast<index_t>(states_.size()); }
    [[nodiscard]] index_t attributes() const { return static_cast<index_t>(attributes_); }
    [[nodiscard]] index_t components(index_t zone) const;  // of the model in force; 0: none yet. NotFound

  private:
    struct State {
        std::vector<double> ring, sum, products, shift;  // N × A; A; A × A; A
        std::vector<double> waiting;                     // delay × A
        std::vector<double> mean, inverse_spread;        // of the model; 0: constant
        std::vector<double> components;                  // k × A
        double threshold = 0.0;
        bool fitted = false;
    };
    void fill_missing(const State& state, std::span<const double> values);
    void count(State& state, std::span<const double> sample, double sign) const;
    void recount(State& state) const;
    void fit(State& state);
    [[nodiscard]] double residual(const State& state, std::span<const double> sample);

    std::size_t attributes_, window_, delay_, length_ = 0, next_ = 0, pushed_ = 0;
    ChangeOptions options_;
    std::vector<State> states_;
    std::vector<double> sample_, z_, left_, residuals_;
};

}  // namespace tiertwin::abstraction
