// Places in squares, for looking outwards from anywhere: ring 0 is one's own square, ring r those r squares away.
//
// Units      m.   Costs: a ring of r costs its squares on the map; 8 bytes a place and square.
// Thread safety  immutable once built.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::radio {

class MastGrid {
  public:
    MastGrid() = default;
    MastGrid(std::span<const double> x, std::span<const double> y);  // at least one place, finite

    struct Square {
        index_t column = 0, row = 0;
    };
    [[nodiscard]] Square square_of(double x, double y) const;  // also off the map
    [[nodiscard]] index_t last_ring(Square from) const;        // nothing lies beyond
    // Nothing in this ring is nearer than this to anything in the square.
    [[nodiscard]] double least_distance(index_t ring) const {
        return ring > 1 ? static_cast<double>(ring - 1) * side_ : 0.0;
    }

    // take(place) for every place in the ring, squares by row and column, places ascending within one.
    template <typename Take>
    void visit(Square from, index_t ring, Take take) const;

  private:
    template <typename Take>
    void row(index_t row, index_t first, index_t last, Take take) const;

    double west_ = 0.0, south_ = 0.0, side_ = 1.0;
    index_t columns_ = 0, rows_ = 0;
    std::vector<std::int32_t> first_;   // [squares + 1]
    std::vector<std::int32_t> places_;  // by square
};

template <typename Take>
void MastGrid::row(index_t row, index_t first, index_t last, Take take) const {
    first = std::max<index_t>(first, 0);
    last = std::min(last, columns_ - 1);
    if (row < 0 || row >= rows_ || first > last) return;
    const auto begin = first_[static_cast<std::size_t>(row * columns_ + first)];
    const auto end = first_[static_cast<std::size_t>(row * columns_ + last + 1)];
    for (auto i = begin; i < end; ++i) take(places_[static_cast<std::size_t>(i)]);
}

template <typename Take>
void MastGrid::visit(Square from, index_t ring, Take take) const {
    const index_t west = from.column - ring, east = from.column + ring;
    const index_t south = std::max<index_t>(from.row - ring, 0), north = std::min(from.row + ring, rows_ - 1);
    for (index_t at = south; at <= north; ++at) {
        if (at == from.row - ring || at == from.row + ring) {
            row(at, west, east, take);
        } else {
            row(at, west, west, take);
            row(at, east, east, take);
        }
    }
}

}  // namespace tiertwin::radio
