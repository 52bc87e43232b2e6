// What TR 38.901's rural macro cell (rma) takes for granted.
#pragma once

namespace tiertwin::radio {

inline constexpr double kStreet = 20.0;  // m: mean width of streets
inline constexpr double kHouse = 5.0;    // m: mean height of buildings

}  // namespace tiertwin::radio
