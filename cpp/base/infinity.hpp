// Without bound, by a short name.
#pragma once

#include <limits>

namespace tiertwin {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace tiertwin
