// Power of a base station, the model of the EARTH project: Auer et al., "How much energy is needed to run a wireless
// network?", IEEE Wireless Communications 18(5), 2011, table 2.
//
//   awake    P = N (P0 + slope * P_out),   0 <= P_out <= P_max       N transceiver chains, powers of one chain in W
//   asleep   P = N * P_sleep
//
// P_out = load * P_max. Check values, macro: 1344 W at full load, 780 W awake without load, 450 W asleep.
//
// Units          W; load 0 ... 1.
// Thread safety  pure functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace tiertwin::radio {

struct BaseStation {
    std::string_view name;
    double chains, awake_w, slope, most_w, asleep_w;
};

// macro, rrh (remote radio head), micro, pico, femto; InvalidArgument for another name, listing these.
[[nodiscard]] const BaseStation& base_station(std::string_view name);
// By place in that order, 0 ... 4; InvalidArgument for another.
[[nodiscard]] const BaseStation& base_station(std::ptrdiff_t place);

// W at the wall of a station that is awake; InvalidArgument for a load that is not 0 ... 1.
[[nodiscard]] double station_power(const BaseStation& station, double load);
[[nodiscard]] double sleeping_power(const BaseStation& station);

}  // namespace tiertwin::radio
