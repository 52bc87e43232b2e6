#include "alloc/dense.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

// Wider vectors where the processor has them. No fused multiply-add is asked for, so both versions give the same bits.
// Not under sanitizers: a resolver runs before they are initialised.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TIERTWIN_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define TIERTWIN_WIDE
#endif

namespace tiertwin::alloc {

namespace {

constexpr std::size_t kBlock = 64, kRows = 4, kColumns = 8;

// The block a[from, to) x a[from, to), columns before `from` already taken away.
void factor_block(std::span<double> a, std::size_t n, std::size_t from, std::size_t to) {
    for (std::size_t c = from; c < to; ++c) {
        double pivot = a[c * n + c];
        const double least = 1e-14 * std::max(std::abs(pivot), std::numeric_limits<double>::min());
        for (std::size_t k = from; k < c; ++k) pivot -= a[c * n + k] * a[c * n + k];
        const double root = std::sqrt(std::max(pivot, least));
        a[c * n + c] = root;
        for (std::size_t r = c + 1; r < to; ++r) {
            double sum = a[r * n + c];
            for (std::size_t k = from; k < c; ++k) sum -= a[r * n + k] * a[c * n + k];
            a[r * n + c] = sum / root;
        }
    }
}

// Rows below the block, divided by it; `turned` gets them column by column: turned[k * n + r] = L[r, from + k], so that
// the loop over rows is the inner one and has no sum in it.
TIERTWIN_WIDE void solve_panel(double* a, std::size_t n, std::size_t from, std::size_t to, double* turned) {
    for (std::size_t r = to; r < n; ++r)
        for (std::size_t c = from; c < to; ++c) turned[(c - from) * n + r] = a[r * n + c];
    for (std::size_t c = from; c < to; ++c) {
        double* __restrict into = turned + (c - from) * n;
        for (std::size_t k = from; k < c; ++k) {
            const double* __restrict by = turned + (k - from) * n;
            const double factor = a[c * n + k];
            for (std::size_t r = to; r < n; ++r) into[r] -= factor * by[r];
        }
        const double pivot = a[c * n + c];
        for (std::size_t r = to; r < n; ++r) into[r] /= pivot;
    }
    for (std::size_t r = to; r < n; ++r)
        for (std::size_t c = from; c < to; ++c) a[r * n + c] = turned[(c - from) * n + r];
}

// c[i][j] -= sum_k left[i][k] right[k][j] for a tile of kRows x kColumns, `left` and `c` with rows `n` apart.
TIERTWIN_WIDE void subtract_tile(double* __restrict c, const double* __restrict left, const double* __restrict right,
                                 std::size_t n, std::size_t depth) {
    double sum[kRows][kColumns] = {};
    for (std::size_t k = 0; k < depth; ++k)
        for (std::size_t i = 0; i < kRows; ++i) {
            const double factor = left[i * n + k];
            for (std::size_t j = 0; j < kColumns; ++j) sum[i][j] += factor * right[k * n + j];
        }
    for (std::size_t i = 0; i < kRows; ++i)
        for (std::size_t j = 0; j < kColumns; ++j) c[i * n + j] -= sum[i][j];
}

void subtract_edge(std::span<double> a, std::size_t n, std::span<const double> turned, std::size_t from, std::size_t to,
                   std::size_t row, std::size_t row_end, std::size_t column, std::size_t column_end) {
    for (std::size_t r = row; r < row_end; ++r)
        for (std::size_t c = column; c < std::min(column_end, r + 1); ++c) {
            double sum = 0.0;
            for (std::size_t k = from; k < to; ++k) sum += a[r * n + k] * turned[(k - from) * n + c];
            a[r * n + c] -= sum;
        }
}

}  // namespace

void factor_dense(std::span<double> a, std::size_t n) {
    std::vector<double> turned(std::min(n, kBlock) * n);
    for (std::size_t from = 0; from < n; from += kBlock) {
        const std::size_t to = std::min(n, from + kBlock);
        factor_block(a, n, from, to);
        solve_panel(a.data(), n, from, to, turned.data());
        for (std::size_t r = to; r < n; r += kRows) {
            const std::size_t rows = std::min(n, r + kRows);
            std::size_t c = to;
            if (rows == r + kRows)  // tiles may reach over the diagonal: the upper triangle is scratch
                for (; c + kColumns <= n && c < rows; c += kColumns)
                    subtract_tile(&a[r * n + c], &a[r * n + from], &turned[c], n, to - from);
            subtract_edge(a, n, turned, from, to, r, rows, c, rows);
        }
    }
}

void solve_dense(std::span<const double> factor, std::size_t n, std::span<double> b) {
    for (std::size_t r = 0; r < n; ++r) {
        double sum = b[r];
        for (std::size_t k = 0; k < r; ++k) sum -= factor[r * n + k] * b[k];
        b[r] = sum / factor[r * n + r];
    }
    for (std::size_t r = n; r-- > 0;) {
        b[r] /= factor[r * n + r];
        for (std::size_t k = 0; k < r; ++k) b[k] -= factor[r * n + k] * b[r];
    }
}

}  // namespace tiertwin::alloc
