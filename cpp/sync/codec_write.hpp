// One block out of listed cells of a column. Private to `sync`.
#pragma once

#include <span>

#include "sync/codec.hpp"

namespace tiertwin::sync {

struct BlockPlan {
    std::size_t n = 0;     // cells it takes from the front of the list
    bool one_time = true;  // else a dt column
    Time base_time = 0;    // earliest of them
};

// How many of `cells` (ascending rows, all written) go into one block of at most `room` bytes: as many as fit there and
// lie within 2^32 - 1 µs of each other.
[[nodiscard]] BlockPlan plan_block(const Column& column, std::span<const Column::Dirty> cells, std::size_t room);
void write_block(Frame& frame, const Column& column, std::span<const Column::Dirty> cells, const BlockPlan& plan);

}  // namespace tiertwin::sync
