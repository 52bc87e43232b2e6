// Dense symmetric positive definite systems, for normal matrices of a few thousand rows.
//
//   A = L L',  A given and L returned in the lower triangle of a row-major n x n array
//
// A pivot that rounding took is replaced by 1e-14 of the diagonal it came from (the step of an interior point
// tolerates it). Blocked by 64 columns; every entry is summed in one fixed order, so the same bits on every width of
// vector unit.
//
// Thread safety  pure functions on distinct arrays.
// Cost           n^3/3 multiplications (about 0.03 s at 1 000 rows), n^2 a solve.
#pragma once

#include <cstddef>
#include <span>

namespace tiertwin::alloc {

void factor_dense(std::span<double> a, std::size_t n);
void solve_dense(std::span<const double> factor, std::size_t n, std::span<double> b);

}  // namespace tiertwin::alloc
