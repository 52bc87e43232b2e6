#include "alloc/routing_matrix.hpp"

#include <algorithm>
#include <limits>

#include "alloc/dense.hpp"

namespace tiertwin::alloc {

namespace {

constexpr std::size_t kDenseRows = 2048;
constexpr std::size_t kPairsAnOption = 8;  // on average: more, and the pairs cost more than they save

}  // namespace

RoutingMatrix::RoutingMatrix(const Options& options, std::span<const double> a)
    : options_(options), a_(a), rows_(static_cast<std::size_t>(options.resources)) {
    if (rows_ > kDenseRows || !pairs_pay()) {
        sparse_ = std::make_unique<NormalMatrix>(options);
        return;
    }
    values_.resize(rows_ * rows_);
    pair_offset_.reserve(static_cast<std::size_t>(options.users) + 1);
    pair_offset_.push_back(0);
    entry_offset_.push_back(0);
    for (std::size_t u = 0; u < static_cast<std::size_t>(options.users); ++u) {
        for (std::size_t k = options.of_user[u]; k < options.of_user[u + 1]; ++k)
            for (std::size_t l = k + 1; l < options.of_user[u + 1]; ++l) add_pair(k, l);
        pair_offset_.push_back(entry_offset_.size() - 1);
    }
}

bool RoutingMatrix::pairs_pay() const {
    std::size_t pairs = 0, entries = 0;
    for (std::size_t u = 0; u < static_cast<std::size_t>(options_.users); ++u) {
        const std::size_t n = options_.of_user[u + 1] - options_.of_user[u];
        pairs += n * (n - 1) / 2;
        entries += n * (options_.of_option[options_.of_user[u + 1]] - options_.of_option[options_.of_user[u]]);
    }
    return pairs <= kPairsAnOption * options_.options() && entries < std::numeric_limits<std::uint32_t>::max();
}

void RoutingMatrix::add_pair(std::size_t k, std::size_t l) {
    const auto& resource = options_.resource;
    std::size_t i = options_.of_option[k], j = options_.of_option[l];
    const std::size_t last_i = options_.of_option[k + 1], last_j = options_.of_option[l + 1];
    while (i < last_i || j < last_j) {
        const bool mine = j == last_j || (i < last_i && resource[i] <= resource[j]);
        const bool other = i == last_i || (j < last_j && resource[j] <= resource[i]);
        const double value = (mine ? a_[i] : 0.0) - (other ? a_[j] : 0.0);
        if (value != 0.0) {
            row_.push_back(resource[mine ? i : j]);
            difference_.push_back(value);
        }
        i += mine;
        j += other;
    }
    entry_offset_.push_back(static_cast<std::uint32_t>(row_.size()));
}

void RoutingMatrix::clear() {
    if (sparse_) return sparse_->clear();
    std::fill(values_.begin(), values_.end(), 0.0);
}

void RoutingMatrix::add_diagonal(std::size_t row, double value) {
    if (sparse_) return sparse_->add_diagonal(row, value);
    values_[row * rows_ + row] += value;
}

void RoutingMatrix::add_user(std::size_t u, std::span<const double> v, double v_sum) {
    if (sparse_) return sparse_->add_user(u, a_, v, v_sum, 0.0);
    std::size_t pair = pair_offset_[u];
    for (std::size_t k = options_.of_user[u]; k < options_.of_user[u + 1]; ++k)
        for (std::size_t l = k + 1; l < options_.of_user[u + 1]; ++l, ++pair) {
            const double weight = v[k] / v_sum * v[l];
            const std::size_t from = entry_offset_[pair], count = entry_offset_[pair + 1] - from;
            const std::uint32_t* row = row_.data() + from;
            const double* x = difference_.data() + from;
            for (std::size_t i = 0; i < count; ++i) {
                const double scaled = weight * x[i];
                double* into = values_.data() + row[i] * rows_;
                for (std::size_t j = 0; j <= i; ++j) into[row[j]] += scaled * x[j];
            }
        }
}

void RoutingMatrix::factor() {
    if (sparse_) return sparse_->factor();
    factor_dense(values_, rows_);
}

void RoutingMatrix::solve(std::span<double> b) {
    if (sparse_) return sparse_->solve(b);
    solve_dense(values_, rows_, b);
}

}  // namespace tiertwin::alloc
