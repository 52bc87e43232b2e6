#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "radio/sinr.hpp"

namespace tiertwin::radio {
namespace {

// TS 38.214 table 5.2.2.1-3: bits of the modulation, code rate x 1024.
constexpr std::array<std::array<double, 2>, 16> kTable{{{0, 0},
                                                        {2, 78},
                                                        {2, 193},
                                                        {2, 449},
                                                        {4, 378},
                                                        {4, 490},
                                                        {4, 616},
                                                        {6, 466},
                                                        {6, 567},
                                                        {6, 666},
                                                        {6, 772},
                                                        {6, 873},
                                                        {8, 711},
                                                        {8, 797},
                                                        {8, 885},
                                                        {8, 948}}};

}  // namespace

double cqi_efficiency(int cqi) {
    if (cqi < 0 || cqi > 15) throw InvalidArgument("Expected a CQI of 0 to 15, got " + std::to_string(cqi));
    return kTable[static_cast<std::size_t>(cqi)][0] * kTable[static_cast<std::size_t>(cqi)][1] / 1024.0;
}

int cqi_of(double sinr_db) {
    if (std::isnan(sinr_db)) throw InvalidArgument("Expected an SINR in dB, got nan");
    int cqi = 0;
    while (cqi < 15 && sinr_db >= cqi_threshold(cqi + 1)) ++cqi;
    return cqi;
}

double cqi_threshold(int cqi) {
    if (cqi < 1 || cqi > 15) throw InvalidArgument("Expected a CQI of 1 to 15, got " + std::to_string(cqi));
    const double shannon = cqi_efficiency(cqi) / kCqiShare;
    return 10.0 * std::log10(std::exp2(shannon) - 1.0);
}

}  // namespace tiertwin::radio
