// How the plant rounds, converts and leaves out what it reports.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "base/types.hpp"

namespace tiertwin::plant {

inline constexpr double kNotSent = std::numeric_limits<double>::quiet_NaN();

inline double seconds(Time ns) { return static_cast<double>(ns) * 1e-9; }

// Energy is summed in whole nanojoule, so that the order of the sum does not matter.
inline std::int64_t whole_nj(double joule) { return std::llround(joule * 1e9); }

}  // namespace tiertwin::plant
