#include "radio/mast_grid.hpp"

#include <cmath>

namespace tiertwin::radio {
namespace {

constexpr double kLeastSide = 1.0;  // m
constexpr double kMostSquares = 4;  // a place

}  // namespace

MastGrid::MastGrid(std::span<const double> x, std::span<const double> y) {
    const auto [west, east] = std::minmax_element(x.begin(), x.end());
    const auto [south, north] = std::minmax_element(y.begin(), y.end());
    west_ = *west;
    south_ = *south;
    const double width = *east - *west, depth = *north - *south, count = static_cast<double>(x.size());
    // About one place a square; a thin map gets squares as long as its places are apart.
    side_ = std::max({kLeastSide, std::sqrt(width * depth / count), std::max(width, depth) / (kMostSquares * count)});
    columns_ = static_cast<index_t>(width / side_) + 1;
    rows_ = static_cast<index_t>(depth / side_) + 1;
    std::vector<std::size_t> squares(x.size());
    first_.assign(static_cast<std::size_t>(columns_ * rows_) + 1, 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const Square at = square_of(x[i], y[i]);
        squares[i] = static_cast<std::size_t>(at.row * columns_ + at.column);
        ++first_[squares[i] + 1];
    }
    for (std::size_t s = 1; s < first_.size(); ++s) first_[s] += first_[s - 1];
    std::vector<std::int32_t> next(first_.begin(), first_.end() - 1);
    places_.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        places_[static_cast<std::size_t>(next[squares[i]]++)] = static_cast<std::int32_t>(i);
    }
}

MastGrid::Square MastGrid::square_of(double x, double y) const {
    return {static_cast<index_t>(std::floor((x - west_) / side_)),
            static_cast<index_t>(std::floor((y - south_) / side_))};
}

index_t MastGrid::last_ring(Square from) const {
    return std::max({from.column, columns_ - 1 - from.column, from.row, rows_ - 1 - from.row, index_t{0}});
}

}  // namespace tiertwin::radio
