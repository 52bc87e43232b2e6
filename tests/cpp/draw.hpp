// A fixed sequence in (0, 1): no library generator, so that every build sees the same numbers.
#pragma once

#include <cstdint>

#include "base/types.hpp"

namespace tiertwin::tests {

struct Draw {
    std::uint64_t state = 1;

    double operator()() {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<double>(state >> 11) * 0x1.0p-53;
    }
    double operator()(double low, double high) { return low + (high - low) * (*this)(); }
    index_t below(index_t n) { return static_cast<index_t>((*this)() * static_cast<double>(n)); }
};

}  // namespace tiertwin::tests
