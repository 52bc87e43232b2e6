// The structure of users and options as the solver walks it: what all options of a user use alike stands once.
//
//   a task sent to whichever server goes over the uplink of its site: that entry is common to the options of its user.
//   A floor the user counts for is common too, used at minus its share: row R + s.
//
// Own entries of an option rise by row. Where options have nearly as many of them, all are filled up to the same
// number, by entries of use 0 on their last row: loops of one length are foreseen by the processor.
//
// Thread safety  immutable after construction.
// Cost           O(entries), once a structure; 12 bytes an entry.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "alloc/options.hpp"

namespace tiertwin::alloc {

struct FairLayout {
    // `floor_of` [U] or empty, -1 for users without a floor.
    FairLayout(const Options& options, std::span<const std::int32_t> floor_of, std::size_t floors);

    static constexpr std::uint32_t kFill = 0xffffffff, kFloor = 0xfffffffe;  // no entry of the options

    std::span<const std::uint32_t> of_user;                           // options of users, as given
    std::vector<std::uint32_t> of_option, row, source;                // own entries: row, entry of the options or kFill
    std::vector<std::uint32_t> of_common, common_row, common_source;  // of users; entry of their first option or kFloor
    std::size_t rows;                                                 // resources and floors

  private:
    void find_common(const Options& options, std::size_t u, std::vector<std::uint32_t>& common) const;
    void take_own(const Options& options, std::size_t k, std::span<const std::uint32_t> common);
    void fill_up();
};

}  // namespace tiertwin::alloc
