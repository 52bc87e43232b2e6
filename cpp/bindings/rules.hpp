// Rules of movement out of a dictionary, for every binding that takes them.
#pragma once

#include <array>
#include <vector>

#include "bindings/common.hpp"
#include "plant/mobility.hpp"

namespace tiertwin::bindings {

// TypeError names an unknown rule, or one that is no number.
[[nodiscard]] plant::MobilityRules mobility_rules(const py::dict& given,
                                                  const std::vector<std::array<double, 3>>& track);

}  // namespace tiertwin::bindings
