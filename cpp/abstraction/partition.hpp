// Which member row belongs to which group row; built once, then immutable.
//
// Total and disjoint over the rows that have a group: a row is in one group or, with -1, in none. Inside a group rows
// keep their order, so that every fold runs in roster order, whole or incremental, and gives the same bits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::abstraction {

class Partition {
  public:
    // group_of[row] in -1 … groups - 1 (InvalidArgument).
    Partition(std::span<const std::int64_t> group_of, index_t groups);

    [[nodiscard]] index_t rows() const { return static_cast<index_t>(group_of_.size()); }
    [[nodiscard]] index_t groups() const { return static_cast<index_t>(first_.size()) - 1; }
    [[nodiscard]] std::int32_t group_of(index_t row) const { return group_of_[static_cast<std::size_t>(row)]; }
    [[nodiscard]] std::span<const std::uint32_t> members(index_t group) const;

    // Groups of these rows, ascending, each once. InvalidArgument for a row beyond rows().
    [[nodiscard]] std::vector<std::uint32_t> groups_of(std::span<const std::uint32_t> rows) const;

  private:
    std::vector<std::int32_t> group_of_;
    std::vector<std::uint32_t> member_;  // rows, by group, ascending
    std::vector<std::size_t> first_;     // of each group in member_, and the end
};

}  // namespace tiertwin::abstraction
