#include "assure/subspace.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "abstraction/pca.hpp"
#include "assure/checks.hpp"
#include "base/error.hpp"

namespace tiertwin::assure {
namespace {

constexpr double kMostSquared = 1e140, kConstantColumn = 1e-10, kNone = 1e-12;

double over(double value, double limit) { return value == 0.0 ? 0.0 : std::min(value / limit, 1e12); }

}  // namespace

SubspaceWatch::SubspaceWatch(index_t attributes, const SubspaceOptions& options) : options_(options) {
    expect_at_least("attributes", attributes, 2);
    expect_at_least("mean", options.mean, 1);
    expect_at_least("clean", options.clean, attributes + options.mean + 1);
    expect_within("share", options.share, 0.0, 1.0);
    expect_within("quantile", options.quantile, 0.5, 1.0);
    attributes_ = static_cast<std::size_t>(attributes);
    t2_.ring.assign(static_cast<std::size_t>(options.mean), 0.0);
    q_.ring = t2_.ring;
    z_.resize(attributes_);
}

double SubspaceWatch::Running::push(double value) {
    ring[seen++ % ring.size()] = value;
    const std::size_t held = std::min(seen, ring.size());
    double sum = 0.0;
    for (std::size_t k = 0; k < held; ++k) sum += ring[k];
    return sum / static_cast<double>(held);
}

void SubspaceWatch::push(std::span<const double> values, std::span<double> t2, std::span<double> q) {
    if (values.size() % attributes_ != 0 || t2.size() * attributes_ != values.size() || q.size() != t2.size())
        throw InvalidArgument("values: expected whole rows of " + std::to_string(attributes_) +
                              " attributes and one result a row, got " + std::to_string(values.size()) + " values");
    for (const double value : values)
        if (!std::isnan(value) && !(std::fabs(value) <= kMostSquared))
            throw InvalidArgument("values: expected numbers up to 1e140, or NaN for one not seen, got " +
                                  std::to_string(value) + "; nothing of this call was taken");
    for (std::size_t row = 0; row < t2.size(); ++row) {
        take(values.subspan(row * attributes_, attributes_));
        t2[row] = t2_now_;
        q[row] = q_now_;
    }
}

void SubspaceWatch::take(std::span<const double> row) {
    if (std::ranges::any_of(row, [](double x) { return std::isnan(x); })) return;
    if (!lambda_.empty() || t2_limit_ > 0.0) {
        double t2 = 0.0, q = 0.0;
        statistics(row, t2, q);
        t2_now_ = over(t2_.push(t2), t2_limit_);
        q_now_ = over(q_.push(q), q_limit_);
        return;
    }
    clean_.insert(clean_.end(), row.begin(), row.end());
    if (clean_.size() == static_cast<std::size_t>(options_.clean) * attributes_) fit();
}

void SubspaceWatch::fit() {
    const std::size_t a = attributes_, n = static_cast<std::size_t>(options_.clean);
    mean_.assign(a, 0.0);
    inverse_spread_.assign(a, 0.0);
    for (std::size_t row = 0; row < n; ++row)
        for (std::size_t k = 0; k < a; ++k) mean_[k] += clean_[row * a + k] / static_cast<double>(n);
    for (std::size_t k = 0; k < a; ++k) {
        double square = 0.0, largest = 0.0;
        for (std::size_t row = 0; row < n; ++row) {
            const double away = clean_[row * a + k] - mean_[k];
            square += away * away;
            largest = std::max(largest, std::fabs(clean_[row * a + k]));
        }
        const double spread = std::sqrt(square / static_cast<double>(n));
        if (spread > kConstantColumn * largest) inverse_spread_[k] = 1.0 / spread;
    }
    std::vector<double> correlation(a * a, 0.0);
    for (std::size_t row = 0; row < n; ++row) {
        for (std::size_t k = 0; k < a; ++k) z_[k] = (clean_[row * a + k] - mean_[k]) * inverse_spread_[k];
        for (std::size_t i = 0; i < a; ++i)
            for (std::size_t j = 0; j < a; ++j) correlation[i * a + j] += z_[i] * z_[j] / static_cast<double>(n);
    }
    std::vector<double> values, vectors;
    abstraction::symmetric_eigen(correlation, a, values, vectors);
    const double all = std::accumulate(values.begin(), values.end(), 0.0);
    double sum = 0.0;
    for (std::size_t k = 0; k < a && values[k] > kNone * all && (k == 0 || sum < options_.share * all); ++k) {
        sum += values[k];
        lambda_.push_back(values[k]);
        components_.insert(components_.end(), vectors.begin() + static_cast<std::ptrdiff_t>(k * a),
                           vectors.begin() + static_cast<std::ptrdiff_t>((k + 1) * a));
    }
    limits();
}

void SubspaceWatch::limits() {
    std::vector<double> t2s, qs;
    for (std::size_t row = 0; row < static_cast<std::size_t>(options_.clean); ++row) {
        double t2 = 0.0, q = 0.0;
        statistics(std::span(clean_).subspan(row * attributes_, attributes_), t2, q);
        t2 = t2_.push(t2);
        q = q_.push(q);
        if (t2_.seen < t2_.ring.size()) continue;
        t2s.push_back(t2);
        qs.push_back(q);
    }
    // below this a statistic is rounding: the limit of a model that leaves nothing over
    t2_limit_ = std::max(quantile_of(t2s, options_.quantile), kNone);
    q_limit_ = std::max(quantile_of(qs, options_.quantile), kNone * static_cast<double>(attributes_));
    clean_ = {};
}

void SubspaceWatch::statistics(std::span<const double> row, double& t2, double& q) {
    for (std::size_t k = 0; k < attributes_; ++k) z_[k] = (row[k] - mean_[k]) * inverse_spread_[k];
    for (std::size_t c = 0; c < lambda_.size(); ++c) {
        const double* component = components_.data() + c * attributes_;
        double t = 0.0;
        for (std::size_t k = 0; k < attributes_; ++k) t += component[k] * z_[k];
        t2 += t * t / lambda_[c];
        for (std::size_t k = 0; k < attributes_; ++k) z_[k] -= t * component[k];
    }
    for (const double left : z_) q += left * left;
}

index_t SubspaceWatch::memory_bytes() const {
    const std::size_t doubles = clean_.capacity() + mean_.capacity() + inverse_spread_.capacity() + lambda_.capacity() +
                                components_.capacity() + z_.capacity() + t2_.ring.capacity() + q_.ring.capacity();
    return static_cast<index_t>(sizeof(SubspaceWatch) + 8 * doubles);
}

}  // namespace tiertwin::assure
