#include "abstraction/granger.hpp"

#include <cmath>
#include <string>

#include "abstraction/significance.hpp"
#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

constexpr double kDependent = 1e-9;        // of a column's length: less is rounding
constexpr double kConstantColumn = 1e-12;  // of a column's size before its mean is taken out
constexpr double kCancelled = 0.5;         // of a column's squares: less asks for a second pass
constexpr double kExplained = 1e-18;       // of y's squares: less is rounding

// Four sums at a time, always the same ones: a compiler may not reorder them, and need not.
double dot(const double* a, const double* b, std::size_t count) {
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (std::size_t u = 0; u < 4; ++u) sum[u] += a[i + u] * b[i + u];
    for (; i < count; ++i) sum[0] += a[i] * b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void subtract(double* from, const double* what, double times, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) from[i] -= times * what[i];
}

// Takes the mean out; returns the squares that are left, 0 if that is rounding.
double centre(double* column, std::size_t count) {
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) sum += column[i];
    const double mean = sum / static_cast<double>(count), before = dot(column, column, count);
    for (std::size_t i = 0; i < count; ++i) column[i] -= mean;
    const double after = dot(column, column, count);
    return after > kConstantColumn * kConstantColumn * before ? after : 0.0;
}

}  // namespace

void Regression::Basis::start(std::size_t count, std::size_t most) {
    rows = count;
    columns = 0;
    q.resize(count * most);
}

bool Regression::Basis::add(std::span<const double> column) {
    double* const own = q.data() + columns * rows;
    std::copy(column.begin(), column.end(), own);
    const double before = centre(own, rows);
    if (!(before > 0.0)) return false;
    double squares = before;
    for (int pass = 0; pass < 2; ++pass) {
        const double entering = squares;
        for (std::size_t k = 0; k < columns; ++k)
            subtract(own, q.data() + k * rows, dot(own, q.data() + k * rows, rows), rows);
        squares = dot(own, own, rows);
        if (squares > kCancelled * entering) break;  // little was taken out, and so little rounding left in
    }
    const double length = std::sqrt(squares);
    if (!(length > kDependent * std::sqrt(before))) return false;
    for (std::size_t i = 0; i < rows; ++i) own[i] /= length;
    ++columns;
    return true;
}

void Regression::Basis::take_away(std::size_t from) {
    for (std::size_t k = from; k < columns; ++k)
        subtract(left.data(), q.data() + k * rows, dot(left.data(), q.data() + k * rows, rows), rows);
    squares = dot(left.data(), left.data(), rows);
}

Regression::Regression(const SeriesView& y, index_t order) : y_(y), order_(static_cast<std::size_t>(order)) {
    if (order < 1 || order > 32) throw InvalidArgument("order: expected 1 … 32 lags, got " + std::to_string(order));
}

void Regression::find_rows(std::span<const double> y, std::span<const double> x, bool complete) {
    rows_.clear();
    std::size_t run = 0;  // samples in a row of which both were seen, up to t - 1
    for (std::size_t t = 0; t < y.size(); ++t) {
        if (run >= order_ && (complete || !std::isnan(y[t]))) rows_.push_back(t);
        run = complete || (!std::isnan(y[t]) && !std::isnan(x[t])) ? run + 1 : 0;
    }
}

void Regression::gather(std::span<const double> series, std::size_t lag) {
    column_.resize(rows_.size());
    for (std::size_t k = 0; k < rows_.size(); ++k) column_[k] = series[rows_[k] - lag];
}

void Regression::restrict_to_rows(Basis& basis) {
    basis.start(rows_.size(), 2 * order_);
    for (std::size_t lag = 1; lag <= order_; ++lag) {
        gather(y_.values, lag);
        basis.add(column_);
    }
    gather(y_.values, 0);
    basis.left = column_;
    const double total = centre(basis.left.data(), basis.rows);
    basis.take_away(0);
    if (basis.squares <= kExplained * total) basis.squares = 0.0;
}

Gain Regression::gain(const SeriesView& x) {
    const bool complete = x.complete() && y_.complete();
    find_rows(y_.values, x.values, complete);
    if (rows_.size() < 2 * order_ + 2) return {0.0, 0.0, 1.0, static_cast<index_t>(rows_.size())};
    if (complete) {
        if (!fitted_) restrict_to_rows(whole_);
        fitted_ = true;
        own_ = whole_;
    } else {
        restrict_to_rows(own_);
    }
    Gain result{0.0, 0.0, 1.0, static_cast<index_t>(own_.rows)};
    if (!(own_.squares > 0.0)) return result;
    const std::size_t before = own_.columns;
    for (std::size_t lag = 1; lag <= order_; ++lag) {
        gather(x.values, lag);
        own_.add(column_);
    }
    const auto added = static_cast<double>(own_.columns - before);
    const double spare = static_cast<double>(own_.rows) - 1.0 - static_cast<double>(own_.columns);
    if (added == 0.0 || spare < 1.0) return result;
    const double restricted = own_.squares;
    own_.take_away(before);
    const double full = own_.squares <= kExplained * restricted ? 0.0 : own_.squares;
    result.gain = std::max(0.0, 1.0 - full / restricted);
    result.f = full > 0.0 ? std::max(0.0, (restricted - full) / added / (full / spare)) : HUGE_VAL;
    result.p_value = f_tail(result.f, added, spare);
    return result;
}

}  // namespace tiertwin::abstraction
