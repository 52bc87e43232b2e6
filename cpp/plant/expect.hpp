// The range check of what surrounds the plant: weather, rain and wear.
#pragma once

#include <string>

#include "base/error.hpp"

namespace tiertwin::plant {

// Throws InvalidArgument unless low <= value <= high (low < value where the range is open below).
inline void expect(const std::string& where, double value, double low, double high, bool open = false) {
    if ((open ? value > low : value >= low) && value <= high) return;
    throw InvalidArgument(where + ": expected a number " + (open ? "above " : "from ") + std::to_string(low) +
                          " up to " + std::to_string(high) + ", got " + std::to_string(value));
}

}  // namespace tiertwin::plant
