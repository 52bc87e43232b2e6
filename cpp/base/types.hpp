// Words every module shares: signed index, strong ids, integer time.
#pragma once

#include <compare>
#include <cstdint>

namespace tiertwin {

using index_t = std::int64_t;

// Time in whole nanoseconds; never double seconds, so that adding a delay is exact on every machine.
using Time = std::int64_t;
inline constexpr Time kMicrosecond = 1'000;
inline constexpr Time kMillisecond = 1'000'000;
inline constexpr Time kSecond = 1'000'000'000;

// An index that cannot be mistaken for another kind of index. `Tag` is never defined.
template <typename Tag>
struct Id {
    index_t value = -1;
    auto operator<=>(const Id&) const = default;
};
using NodeId = Id<struct NodeTag>;
using LinkId = Id<struct LinkTag>;
using EntityId = Id<struct EntityTag>;

}  // namespace tiertwin
