#include "abstraction/pca.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

constexpr int kMostSweeps = 60;
constexpr double kMost = 1e140;               // its squares can be summed
constexpr double kConstantAttribute = 1e-10;  // of an attribute's size: a spread below is rounding

// One rotation that makes a_pq zero, in the matrix and in the vectors (rows).
void rotate(std::vector<double>& a, std::vector<double>& v, std::size_t n, std::size_t p, std::size_t q) {
    const double off = a[p * n + q];
    const double theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
    const double t = (theta >= 0.0 ? 1.0 : -1.0) / (std::fabs(theta) + std::sqrt(theta * theta + 1.0));
    const double c = 1.0 / std::sqrt(t * t + 1.0), s = t * c;
    for (std::size_t k = 0; k < n; ++k) {
        const double kp = a[k * n + p], kq = a[k * n + q];
        a[k * n + p] = c * kp - s * kq;
        a[k * n + q] = s * kp + c * kq;
    }
    for (auto* matrix : {&a, &v}) {
        double *const row_p = matrix->data() + p * n, *const row_q = matrix->data() + q * n;
        for (std::size_t k = 0; k < n; ++k) {
            const double pk = row_p[k], qk = row_q[k];
            row_p[k] = c * pk - s * qk;
            row_q[k] = s * pk + c * qk;
        }
    }
}

}  // namespace

void symmetric_eigen(std::vector<double> matrix, std::size_t size, std::vector<double>& values,
                     std::vector<double>& vectors) {
    std::vector<double> rows(size * size, 0.0);
    for (std::size_t i = 0; i < size; ++i) rows[i * size + i] = 1.0;
    double scale = 0.0;
    for (const double x : matrix) scale = std::max(scale, std::fabs(x));
    const double zero = scale * 1e-15;
    for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
        bool done = true;
        for (std::size_t p = 0; p < size; ++p) {
            for (std::size_t q = p + 1; q < size; ++q) {
                if (!(std::fabs(matrix[p * size + q]) > zero)) continue;
                rotate(matrix, rows, size, p, q);
                done = false;
            }
        }
        if (done) break;
    }
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order,
                             [&](std::size_t a, std::size_t b) { return matrix[a * size + a] > matrix[b * size + b]; });
    values.resize(size);
    vectors.resize(size * size);
    for (std::size_t k = 0; k < size; ++k) {
        values[k] = matrix[order[k] * size + order[k]];
        const double* const row = rows.data() + order[k] * size;
        std::size_t largest = 0;
        for (std::size_t i = 1; i < size; ++i)
            if (std::fabs(row[i]) > std::fabs(row[largest])) largest = i;
        const double sign = row[largest] < 0.0 ? -1.0 : 1.0;
        for (std::size_t i = 0; i < size; ++i) vectors[k * size + i] = sign * row[i];
    }
}

ChangeWatch::ChangeWatch(index_t zones, index_t attributes, index_t window, const ChangeOptions& options)
    : attributes_(static_cast<std::size_t>(attributes)),
      window_(static_cast<std::size_t>(window)),
      delay_(static_cast<std::size_t>(options.delay)),
      options_(options) {
    if (zones < 1 || attributes < 1)
        throw InvalidArgument("expected at least one zone and one attribute, got " + std::to_string(zones) + " and " +
                              std::to_string(attributes));
    if (window < 4 || window > 1'000'000)
        throw InvalidArgument("window: expected 4 … 1 000 000 samples, got " + std::to_string(window));
    if (!(options.share > 0.0 && options.share <= 1.0))
        throw InvalidArgument("share: expected a share of the variance in (0, 1], got " +
                              std::to_string(options.share));
    if (!(options.quantile > 0.0 && options.quantile <= 1.0))
        throw InvalidArgument("quantile: expected (0, 1], got " + std::to_string(options.quantile));
    if (options.every < 1)
        throw InvalidArgument("every: expected at least 1 push between two models, got " +
                              std::to_string(options.every));
    if (options.delay < 0 || options.delay > 1'000'000)
        throw InvalidArgument("delay: expected 0 … 1 000 000 pushes, got " + std::to_string(options.delay));
    State state;
    state.waiting.resize(delay_ * attributes_);
    state.ring.resize(window_ * attributes_);
    for (auto* row : {&state.sum, &state.shift, &state.mean, &state.inverse_spread}) row->assign(attributes_, 0.0);
    state.products.assign(attributes_ * attributes_, 0.0);
    states_.assign(static_cast<std::size_t>(zones), state);
    for (auto* row : {&sample_, &z_, &left_}) row->resize(attributes_);
}

index_t ChangeWatch::components(index_t zone) const {
    if (zone < 0 || zone >= zones())
        throw NotFound("zone " + std::to_string(zone) + ": expected 0 … " + std::to_string(zones() - 1));
    return static_cast<index_t>(states_[static_cast<std::size_t>(zone)].components.size() / attributes_);
}

void ChangeWatch::push(std::span<const double> values, std::span<double> residual, std::span<double> threshold) {
    if (values.size() != states_.size() * attributes_ || residual.size() != states_.size() ||
        threshold.size() != states_.size())
        throw InvalidArgument("expected " + std::to_string(states_.size() * attributes_) +
                              " values (one a zone and attribute), got " + std::to_string(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i)
        if (std::fabs(values[i]) > kMost)
            throw InvalidArgument("values[" + std::to_string(i) +
                                  "]: expected a value up to 1e140, or NaN for none, got " + std::to_string(values[i]));
    const bool enters = pushed_ >= delay_, full = length_ == window_;
    if (enters) length_ = std::min(length_ + 1, window_);
    ++pushed_;
    for (std::size_t zone = 0; zone < states_.size(); ++zone) {
        State& state = states_[zone];
        fill_missing(state, values.subspan(zone * attributes_, attributes_));
        residual[zone] = state.fitted ? this->residual(state, sample_) : 0.0;
        threshold[zone] = state.fitted ? state.threshold : std::numeric_limits<double>::infinity();
        if (delay_ > 0)  // the sample waits, and the one that came `delay` pushes ago takes its turn
            std::swap_ranges(sample_.begin(), sample_.end(),
                             state.waiting.begin() + static_cast<std::ptrdiff_t>((pushed_ - 1) % delay_ * attributes_));
        if (!enters) continue;
        double* const slot = state.ring.data() + next_ * attributes_;
        if (full) count(state, {slot, attributes_}, -1.0);
        std::ranges::copy(sample_, slot);
        count(state, sample_, 1.0);
        if (length_ < window_) continue;
        if (!state.fitted || (pushed_ + zone) % window_ == 0) recount(state);
        if (!state.fitted || (pushed_ + zone) % static_cast<std::size_t>(options_.every) == 0) fit(state);
    }
    if (enters) next_ = next_ + 1 == window_ ? 0 : next_ + 1;
}

void ChangeWatch::fill_missing(const State& state, std::span<const double> values) {
    const auto before = static_cast<double>(length_ == 0 ? 0 : length_ - 1);
    for (std::size_t a = 0; a < attributes_; ++a) {
        sample_[a] = values[a];
        if (!std::isnan(values[a])) continue;
        if (state.fitted) {
            sample_[a] = state.mean[a];
        } else {
            sample_[a] = before > 0.0 ? state.shift[a] + state.sum[a] / before : 0.0;
        }
    }
}

void ChangeWatch::count(State& state, std::span<const double> sample, double sign) const {
    for (std::size_t a = 0; a < attributes_; ++a) {
        const double x = sample[a] - state.shift[a], signed_x = sign * x;
        state.sum[a] += signed_x;
        double* const row = state.products.data() + a * attributes_;
        for (std::size_t b = 0; b <= a; ++b) row[b] += signed_x * (sample[b] - state.shift[b]);
    }
}

// The sums anew, over deviations from the mean of now.
void ChangeWatch::recount(State& state) const {
    for (std::size_t a = 0; a < attributes_; ++a) {
        double sum = 0.0;
        for (std::size_t t = 0; t < length_; ++t) sum += state.ring[t * attributes_ + a];
        state.shift[a] = sum / static_cast<double>(length_);
    }
    std::ranges::fill(state.sum, 0.0);
    std::ranges::fill(state.products, 0.0);
    for (std::size_t t = 0; t < length_; ++t) count(state, {state.ring.data() + t * attributes_, attributes_}, 1.0);
}

void ChangeWatch::fit(State& state) {
    const auto n = static_cast<double>(length_);
    std::vector<double> matrix(attributes_ * attributes_, 0.0), values, vectors;
    for (std::size_t a = 0; a < attributes_; ++a) {
        const double mean = state.sum[a] / n;
        state.mean[a] = state.shift[a] + mean;
        const double variance = state.products[a * attributes_ + a] / n - mean * mean;
        const double least = kConstantAttribute * std::fabs(state.mean[a]);
        state.inverse_spread[a] = variance > least * least && variance > 0.0 ? 1.0 / std::sqrt(variance) : 0.0;
        for (std::size_t b = 0; b <= a; ++b) {
            const double covariance = state.products[a * attributes_ + b] / n - mean * (state.sum[b] / n);
            matrix[a * attributes_ + b] = matrix[b * attributes_ + a] =
                covariance * state.inverse_spread[a] * state.inverse_spread[b];
        }
    }
    symmetric_eigen(std::move(matrix), attributes_, values, vectors);
    double total = 0.0;
    for (const double value : values) total += std::max(value, 0.0);
    std::size_t kept = 0;
    for (double explained = 0.0; kept < attributes_ && total > 0.0 && explained < options_.share * total; ++kept)
        explained += std::max(values[kept], 0.0);
    vectors.resize(kept * attributes_);
    state.components = std::move(vectors);
    residuals_.resize(length_);
    for (std::size_t t = 0; t < length_; ++t)
        residuals_[t] = residual(state, {state.ring.data() + t * attributes_, attributes_});
    const auto rank = static_cast<std::size_t>(std::ceil(options_.quantile * n));
    const auto nth = residuals_.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
    std::ranges::nth_element(residuals_, nth);
    state.threshold = *nth;
    state.fitted = true;
}

double ChangeWatch::residual(const State& state, std::span<const double> sample) {
    for (std::size_t a = 0; a < attributes_; ++a) z_[a] = (sample[a] - state.mean[a]) * state.inverse_spread[a];
    left_ = z_;
    for (std::size_t k = 0; k * attributes_ < state.components.size(); ++k) {
        const double* const component = state.components.data() + k * attributes_;
        double length = 0.0;
        for (std::size_t a = 0; a < attributes_; ++a) length += component[a] * z_[a];
        for (std::size_t a = 0; a < attributes_; ++a) left_[a] -= length * component[a];
    }
    double squares = 0.0;
    for (const double x : left_) squares += x * x;
    return std::sqrt(squares);
}

}  // namespace tiertwin::abstraction
