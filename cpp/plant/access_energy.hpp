// Power of a cell by the EARTH model: chains (idle + slope * radiated power of a chain) awake, chains * sleep asleep.
//
// Source     G. Auer et al., "How much energy is needed to run a wireless network?", IEEE Wireless Communications
// 18(5),
//            2011. A cell radiates its power times its load, evenly over its chains.
// Units      W.   Thread safety  pure functions.
#pragma once

namespace tiertwin::plant {

struct CellPower {
    double chains = 1.0, idle_w = 0.0, slope = 0.0, sleep_w = 0.0;
    double radiated_w = 0.0;  // of the cell at full load

    [[nodiscard]] double awake(double load) const { return chains * idle_w + slope * radiated_w * load; }
    [[nodiscard]] double asleep() const { return chains * sleep_w; }
};

}  // namespace tiertwin::plant
