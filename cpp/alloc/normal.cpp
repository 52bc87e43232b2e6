#include "alloc/normal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "alloc/dense.hpp"
#include "base/error.hpp"

namespace tiertwin::alloc {

namespace {

constexpr double kFewDigits = 1e-6;  // of V: what must be left beside the largest option, else means go first

using Lists = std::vector<std::vector<std::uint32_t>>;

// Rows that some user has in common with each row. A row that was just seen is skipped by its stamp.
Lists neighbours_of(std::size_t rows, std::span<const std::uint32_t> offset, std::span<const std::uint32_t> row) {
    std::vector<std::uint32_t> users_offset(rows + 1), users_of(row.size());
    for (const std::uint32_t r : row) ++users_offset[r + 1];
    std::partial_sum(users_offset.begin(), users_offset.end(), users_offset.begin());
    auto next = users_offset;
    for (std::size_t u = 0; u + 1 < offset.size(); ++u)
        for (std::size_t i = offset[u]; i < offset[u + 1]; ++i)
            users_of[next[row[i]]++] = static_cast<std::uint32_t>(u);
    Lists out(rows);
    std::vector<std::uint32_t> stamp(rows, std::numeric_limits<std::uint32_t>::max());
    for (std::size_t r = 0; r < rows; ++r) {
        stamp[r] = static_cast<std::uint32_t>(r);
        for (std::size_t j = users_offset[r]; j < users_offset[r + 1]; ++j)
            for (std::size_t i = offset[users_of[j]]; i < offset[users_of[j] + 1]; ++i)
                if (stamp[row[i]] != r) {
                    stamp[row[i]] = static_cast<std::uint32_t>(r);
                    out[r].push_back(row[i]);
                }
        std::sort(out[r].begin(), out[r].end());
    }
    return out;
}

}  // namespace

NormalMatrix::NormalMatrix(const Options& options)
    : NormalMatrix(NormalShape{
          options.of_user, options.of_option, options.resource, {}, {}, static_cast<std::size_t>(options.resources)}) {}

NormalMatrix::NormalMatrix(const NormalShape& shape) : shape_(shape) {
    if (shape.rows > kMostRows)
        throw InvalidArgument("resources: at most " + std::to_string(kMostRows) + " with the floors, got " +
                              std::to_string(shape.rows));
    find_unions();
    find_core(neighbours_of(shape.rows, union_offset_, union_row_));
    find_targets();
}

void NormalMatrix::find_unions() {
    const std::size_t users = shape_.of_user.size() - 1;
    union_offset_.assign(users + 1, 0);
    local_.resize(shape_.row.size());
    std::vector<std::uint32_t> rows;
    for (std::size_t u = 0; u < users; ++u) {
        take_union(u, rows);
        union_offset_[u + 1] = static_cast<std::uint32_t>(union_row_.size());
    }
}

void NormalMatrix::take_union(std::size_t u, std::vector<std::uint32_t>& rows) {
    const std::size_t from = shape_.of_option[shape_.of_user[u]], to = shape_.of_option[shape_.of_user[u + 1]];
    rows.assign(shape_.row.begin() + static_cast<std::ptrdiff_t>(from),
                shape_.row.begin() + static_cast<std::ptrdiff_t>(to));
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    if (rows.size() > std::numeric_limits<std::uint16_t>::max())
        throw InvalidArgument("user " + std::to_string(u) + " touches " + std::to_string(rows.size()) +
                              " resources, expected at most 65535");
    for (std::size_t e = from; e < to; ++e)
        local_[e] =
            static_cast<std::uint16_t>(std::lower_bound(rows.begin(), rows.end(), shape_.row[e]) - rows.begin());
    union_row_.insert(union_row_.end(), rows.begin(), rows.end());
    for (std::size_t i = 0; i < commons(u); ++i) union_row_.push_back(shape_.common_row[shape_.of_common[u] + i]);
}

void NormalMatrix::find_core(const Lists& neighbours) {
    const std::size_t rows = neighbours.size();
    std::vector<std::uint32_t> order(rows);
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return neighbours[a].size() < neighbours[b].size(); });
    std::vector<char> taken(rows), kept(rows);  // eliminated; next to an eliminated one
    for (const std::uint32_t r : order) {
        if (kept[r]) continue;
        taken[r] = 1;
        for (const std::uint32_t s : neighbours[r]) kept[s] = 1;
    }
    place_.resize(rows);
    for (std::uint32_t r = 0; r < rows; ++r) {
        auto& list = taken[r] ? gone_rows_ : core_rows_;
        place_[r] = taken[r] ? -static_cast<std::int64_t>(list.size()) - 1 : static_cast<std::int64_t>(list.size());
        list.push_back(r);
    }
    if (core() > kMostCore)
        throw InvalidArgument("resources: " + std::to_string(core()) + " depend on each other, at most " +
                              std::to_string(kMostCore) + " can; cvxpy has no such limit");
    beside_offset_.assign(1, 0);
    for (const std::uint32_t r : gone_rows_) {
        for (const std::uint32_t s : neighbours[r]) beside_.push_back(static_cast<std::uint32_t>(place_[s]));
        beside_offset_.push_back(static_cast<std::uint32_t>(beside_.size()));
    }
    core_at_ = gone_rows_.size() + beside_.size();
    values_.resize(core_at_ + core() * core());
    diagonal_.resize(rows);
    for (std::uint32_t r = 0; r < rows; ++r) diagonal_[r] = place_of(r, r);
}

std::uint32_t NormalMatrix::place_of(std::uint32_t r, std::uint32_t s) const {
    std::int64_t a = place_[r], b = place_[s];
    if (a >= 0 && b >= 0)
        return static_cast<std::uint32_t>(core_at_ + static_cast<std::size_t>(std::max(a, b)) * core() +
                                          static_cast<std::size_t>(std::min(a, b)));
    if (b < 0) std::swap(a, b);
    const auto e = static_cast<std::size_t>(-a - 1);
    if (r == s) return static_cast<std::uint32_t>(e);
    const auto from = beside_.begin() + beside_offset_[e], to = beside_.begin() + beside_offset_[e + 1];
    return static_cast<std::uint32_t>(gone_rows_.size() + beside_offset_[e] +
                                      static_cast<std::size_t>(std::lower_bound(from, to, b) - from));
}

void NormalMatrix::find_targets() {
    const std::size_t users = union_offset_.size() - 1;
    target_offset_.assign(users + 1, 0);
    for (std::size_t u = 0; u < users; ++u) {
        const std::size_t n = union_offset_[u + 1] - union_offset_[u];
        target_offset_[u + 1] = target_offset_[u] + n * (n + 1) / 2;
        most_union_ = std::max(most_union_, n);
    }
    target_.resize(target_offset_[users]);
    for (std::size_t u = 0; u < users; ++u) {
        std::size_t at = target_offset_[u];
        for (std::size_t i = union_offset_[u]; i < union_offset_[u + 1]; ++i)
            for (std::size_t j = union_offset_[u]; j <= i; ++j) target_[at++] = place_of(union_row_[i], union_row_[j]);
    }
    core_right_.resize(core());
}

void NormalMatrix::clear(NormalPart& part) const {
    part.values.assign(values_.size(), 0.0);
    part.triangle.resize(most_union_ * (most_union_ + 1) / 2);
    part.mean.resize(most_union_);
    part.option.resize(most_union_);
}

// triangle = sum v a a', mean = sum v a
void NormalMatrix::sum_options(NormalPart& part, std::size_t u, std::span<const double> a,
                               std::span<const double> v) const {
    double* mean = part.mean.data();
    double* triangle = part.triangle.data();
    const std::size_t first = shape_.of_user[u];
    std::size_t from = shape_.of_option[first];
    for (std::size_t k = 0; k < v.size(); ++k) {
        const double vk = v[k];
        const std::size_t to = shape_.of_option[first + k + 1];
        for (std::size_t e = from; e < to; ++e) {  // entries of an option rise
            const double scaled = vk * a[e];
            const std::size_t at = local_[e];
            mean[at] += scaled;
            double* row = &triangle[at * (at + 1) / 2];
            for (std::size_t f = from; f <= e; ++f) row[local_[f]] += scaled * a[f];
        }
        from = to;
    }
}

// triangle = sum v (a - mean/V)(a - mean/V)', mean = sum v a, over the n own rows
void NormalMatrix::sum_centred(NormalPart& part, std::size_t u, std::span<const double> a, std::span<const double> v,
                               double v_sum) const {
    const std::size_t n = union_offset_[u + 1] - union_offset_[u] - commons(u);
    const std::uint32_t* of = shape_.of_option.data() + shape_.of_user[u];
    for (std::size_t k = 0; k < v.size(); ++k)
        for (std::size_t e = of[k]; e < of[k + 1]; ++e) part.mean[local_[e]] += v[k] * a[e];
    for (std::size_t k = 0; k < v.size(); ++k) {
        if (v[k] == 0.0) continue;
        for (std::size_t i = 0; i < n; ++i) part.option[i] = -part.mean[i] / v_sum;
        for (std::size_t e = of[k]; e < of[k + 1]; ++e) part.option[local_[e]] += a[e];
        double* cell = part.triangle.data();
        for (std::size_t i = 0; i < n; ++i) {
            const double scaled = v[k] * part.option[i];
            for (std::size_t j = 0; j <= i; ++j) *cell++ += scaled * part.option[j];
        }
    }
}

void NormalMatrix::add_user(NormalPart& part, std::size_t u, std::span<const double> a, std::span<const double> common,
                            std::span<const double> v, double v_sum, double held) const {
    const std::size_t alike = commons(u), n = union_offset_[u + 1] - union_offset_[u] - alike;
    std::fill_n(part.triangle.begin(), n * (n + 1) / 2, 0.0);
    std::fill_n(part.mean.begin(), n, 0.0);
    double most = 0.0;
    for (const double weight : v) most = std::max(most, weight);
    const bool centred = (v_sum - most) + held * v_sum < kFewDigits * v_sum;
    centred ? sum_centred(part, u, a, v, v_sum) : sum_options(part, u, a, v);
    const double factor = (centred ? held : held - 1.0) / v_sum;
    const std::uint32_t* target = target_.data() + target_offset_[u];
    const double* cell = part.triangle.data();
    const double* mean = part.mean.data();
    double* values = part.values.data();
    for (std::size_t i = 0; i < n; ++i) {
        const double scaled = factor * mean[i];
        for (std::size_t j = 0; j <= i; ++j) values[*target++] += *cell++ + scaled * mean[j];
    }
    if (alike == 0) return;
    const double* c = common.data() + shape_.of_common[u];
    for (std::size_t i = 0; i < alike; ++i) {
        const double scaled = held * c[i];
        for (std::size_t j = 0; j < n; ++j) values[*target++] += scaled * mean[j];
        for (std::size_t j = 0; j <= i; ++j) values[*target++] += scaled * v_sum * c[j];
    }
}

void NormalMatrix::clear() {
    clear(own_);
    values_.swap(own_.values);
}

void NormalMatrix::add_user(std::size_t u, std::span<const double> a, std::span<const double> v, double v_sum,
                            double held) {
    values_.swap(own_.values);
    add_user(own_, u, a, {}, v.subspan(shape_.of_user[u], shape_.of_user[u + 1] - shape_.of_user[u]), v_sum, held);
    values_.swap(own_.values);
}

void NormalMatrix::gather(std::span<NormalPart* const> parts) {
    values_.swap(parts[0]->values);
    for (const NormalPart* part : parts.subspan(1))
        for (std::size_t i = 0; i < values_.size(); ++i) values_[i] += part->values[i];
}

void NormalMatrix::factor() {
    const std::size_t n = core(), gone = gone_rows_.size();
    const std::span<double> dense(values_.data() + core_at_, n * n);
    for (std::size_t e = 0; e < gone; ++e) {
        values_[e] = std::max(values_[e], std::numeric_limits<double>::min());
        const double* row = values_.data() + gone + beside_offset_[e];
        const std::uint32_t* column = beside_.data() + beside_offset_[e];
        const std::size_t count = beside_offset_[e + 1] - beside_offset_[e];
        for (std::size_t i = 0; i < count; ++i) {
            const double scaled = row[i] / values_[e];
            if (scaled == 0.0) continue;
            double* into = &dense[column[i] * n];
            for (std::size_t j = 0; j <= i; ++j) into[column[j]] -= scaled * row[j];
        }
    }
    factor_dense(dense, n);
}

void NormalMatrix::solve(std::span<double> b) {
    const std::size_t gone = gone_rows_.size();
    for (std::size_t i = 0; i < core(); ++i) core_right_[i] = b[core_rows_[i]];
    for (std::size_t e = 0; e < gone; ++e) {
        const double share = b[gone_rows_[e]] / values_[e];
        for (std::size_t j = beside_offset_[e]; j < beside_offset_[e + 1]; ++j)
            core_right_[beside_[j]] -= values_[gone + j] * share;
    }
    solve_dense(std::span<const double>(values_).subspan(core_at_), core(), core_right_);
    for (std::size_t i = 0; i < core(); ++i) b[core_rows_[i]] = core_right_[i];
    for (std::size_t e = 0; e < gone; ++e) {
        double sum = b[gone_rows_[e]];
        for (std::size_t j = beside_offset_[e]; j < beside_offset_[e + 1]; ++j)
            sum -= values_[gone + j] * core_right_[beside_[j]];
        b[gone_rows_[e]] = sum / values_[e];
    }
}

}  // namespace tiertwin::alloc
