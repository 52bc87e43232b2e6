// Copies what is newer: cells of one table into the rows that stand for the same entities in another.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "state/table.hpp"

namespace tiertwin::abstraction {

// For each attribute, cell (sources[i]) of `from` is written into (targets[i]) of `to`, pending, if its value is finite
// and its time later than that of the cell there; nobody else may write those cells. Both tables have the attributes,
// of numeric types (NotFound, InvalidArgument; nothing is written of an attribute that is refused). Returns the cells
// written.
index_t carry(const StateTable& from, StateTable& to, const std::vector<AttributeId>& attributes,
              std::span<const std::uint32_t> sources, std::span<const std::uint32_t> targets);

}  // namespace tiertwin::abstraction
