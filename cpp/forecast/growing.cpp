#include "forecast/growing.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin::forecast {
namespace {

constexpr double kLeast = 1e-10;  // of k(0) + noise: a pivot below says that the covariance is none

// Eight sums side by side: the order of additions is fixed, and they need not wait for each other.
double dot(const double* a, const double* b, std::size_t n) {
    double sums[8] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (std::size_t k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
    double rest = 0.0;
    for (; i < n; ++i) rest += a[i] * b[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7])) + rest;
}

std::size_t start_of(std::size_t row) { return row * (row + 1) / 2; }

}  // namespace

GrowingFactor::GrowingFactor(index_t series, std::span<const double> same, std::span<const double> other, double noise)
    : series_(static_cast<std::size_t>(std::max<index_t>(series, 0))),
      same_(same.begin(), same.end()),
      other_(other.begin(), other.end()),
      noise_(noise) {
    if (series < 1) throw InvalidArgument("series: expected at least 1, got " + std::to_string(series));
    if (same.empty() || same.size() != other.size())
        throw InvalidArgument("same, other: expected two tables of one length (a covariance a lag), got " +
                              std::to_string(same.size()) + " and " + std::to_string(other.size()));
    if (!(noise > 0.0 && std::isfinite(noise)))
        throw InvalidArgument("noise: expected a positive variance, got " + std::to_string(noise));
    const auto finite = [](double x) { return std::isfinite(x); };
    if (!std::ranges::all_of(same, finite) || !std::ranges::all_of(other, finite) || !(same_[0] > 0.0))
        throw InvalidArgument("same, other: expected finite covariances, positive at lag 0");
}

void GrowingFactor::solve(index_t slot, index_t kind, std::vector<double>& row) const {
    const std::size_t n = slots_.size();
    row.resize(n);
    if (n > 0 && slot - slots_.front() >= static_cast<index_t>(same_.size()))
        throw InvalidArgument("slot " + std::to_string(slot) + ": expected a lag below " +
                              std::to_string(same_.size()) + " to slot " + std::to_string(slots_.front()) +
                              ", the oldest; make the tables longer or start anew");
    for (std::size_t j = 0; j < n; ++j) {
        const auto lag = static_cast<std::size_t>(slot - slots_[j]);
        const double k = kinds_[j] == kind ? same_[lag] : other_[lag];
        const double* const above = factor_.data() + start_of(j);
        row[j] = (k - dot(row.data(), above, j)) / above[j];
    }
}

void GrowingFactor::project(std::span<const double> row, std::span<double> out) const {
    std::ranges::fill(out, 0.0);
    for (std::size_t j = 0; j < row.size(); ++j) {
        const double weight = row[j];
        const double* const z = whitened_.data() + j * series_;
        for (std::size_t s = 0; s < series_; ++s) out[s] += weight * z[s];
    }
}

void GrowingFactor::append(index_t slot, index_t kind, std::span<const double> values) {
    if (values.size() != series_)
        throw InvalidArgument("values: expected " + std::to_string(series_) + " (one a series), got " +
                              std::to_string(values.size()));
    if (!slots_.empty() && slot <= slots_.back())
        throw InvalidArgument("slot: expected one after " + std::to_string(slots_.back()) + ", got " +
                              std::to_string(slot) + "; samples come in the order of their slots");
    for (std::size_t s = 0; s < series_; ++s)
        if (!std::isfinite(values[s]))
            throw InvalidArgument("values[" + std::to_string(s) + "]: expected a finite value, got " +
                                  std::to_string(values[s]));
    solve(slot, kind, row_);
    const double whole = same_[0] + noise_;
    const double left = whole - dot(row_.data(), row_.data(), row_.size());
    if (!(left > kLeast * whole))
        throw InvalidArgument("same, other: expected covariances of a process (positive definite); slot " +
                              std::to_string(slot) + " leaves a variance of " + std::to_string(left));
    const double pivot = std::sqrt(left);
    std::vector<double> fresh(series_);
    project(row_, fresh);
    for (std::size_t s = 0; s < series_; ++s) fresh[s] = (values[s] - fresh[s]) / pivot;
    factor_.insert(factor_.end(), row_.begin(), row_.end());
    factor_.push_back(pivot);
    whitened_.insert(whitened_.end(), fresh.begin(), fresh.end());
    slots_.push_back(slot);
    kinds_.push_back(kind);
}

void GrowingFactor::ahead(std::span<const index_t> slots, std::span<const index_t> kinds, std::span<double> mean,
                          std::span<double> variance) const {
    if (kinds.size() != slots.size() || variance.size() != slots.size() || mean.size() != slots.size() * series_)
        throw InvalidArgument("kinds: expected " + std::to_string(slots.size()) + " (one a slot), got " +
                              std::to_string(kinds.size()));
    for (std::size_t h = 0; h < slots.size(); ++h) {
        if (slots[h] <= last_slot())
            throw InvalidArgument("slots[" + std::to_string(h) + "]: expected one after " +
                                  std::to_string(last_slot()) + ", got " + std::to_string(slots[h]));
        solve(slots[h], kinds[h], row_);
        project(row_, mean.subspan(h * series_, series_));
        variance[h] = same_[0] + noise_ - dot(row_.data(), row_.data(), row_.size());
    }
}

}  // namespace tiertwin::forecast
