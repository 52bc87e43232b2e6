#include "abstraction/partition.hpp"

#include <limits>
#include <string>

#include "base/error.hpp"

namespace tiertwin::abstraction {

Partition::Partition(std::span<const std::int64_t> group_of, index_t groups) {
    if (groups < 1 || groups > std::numeric_limits<std::int32_t>::max()) {
        throw InvalidArgument("Expected 1 or more groups, got " + std::to_string(groups));
    }
    group_of_.reserve(group_of.size());
    first_.assign(static_cast<std::size_t>(groups) + 1, 0);
    for (std::size_t row = 0; row < group_of.size(); ++row) {
        const std::int64_t group = group_of[row];
        if (group < -1 || group >= groups) {
            throw InvalidArgument("Expected a group in -1 … " + std::to_string(groups - 1) + " for row " +
                                  std::to_string(row) + ", got " + std::to_string(group));
        }
        group_of_.push_back(static_cast<std::int32_t>(group));
        if (group >= 0) ++first_[static_cast<std::size_t>(group) + 1];
    }
    for (std::size_t g = 1; g < first_.size(); ++g) first_[g] += first_[g - 1];
    member_.resize(first_.back());
    std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
    for (std::size_t row = 0; row < group_of_.size(); ++row) {
        if (group_of_[row] >= 0)
            member_[next[static_cast<std::size_t>(group_of_[row])]++] = static_cast<std::uint32_t>(row);
    }
}

std::span<const std::uint32_t> Partition::members(index_t group) const {
    const auto g = static_cast<std::size_t>(group);
    return std::span(member_).subspan(first_[g], first_[g + 1] - first_[g]);
}

std::vector<std::uint32_t> Partition::groups_of(std::span<const std::uint32_t> rows) const {
    std::vector<bool> touched(first_.size() - 1, false);
    for (const std::uint32_t row : rows) {
        if (row >= group_of_.size()) {
            throw InvalidArgument("Expected a member row below " + std::to_string(group_of_.size()) + ", got " +
                                  std::to_string(row));
        }
        if (group_of_[row] >= 0) touched[static_cast<std::size_t>(group_of_[row])] = true;
    }
    std::vector<std::uint32_t> found;
    for (std::size_t g = 0; g < touched.size(); ++g) {
        if (touched[g]) found.push_back(static_cast<std::uint32_t>(g));
    }
    return found;
}

}  // namespace tiertwin::abstraction
