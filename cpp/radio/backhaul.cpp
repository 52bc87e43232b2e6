#include "radio/backhaul.hpp"

#include <array>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin::radio {
namespace {

constexpr std::array<double, kMostBits - kLeastBits + 1> kNeeded{7.8,  11.5, 14.8, 17.9, 21.0, 24.0,
                                                                 27.1, 30.1, 33.1, 36.1, 39.1};

void expect_step(const char* name, int bits, int least) {
    if (bits == least || (bits >= kLeastBits && bits <= kMostBits)) return;
    throw InvalidArgument(std::string(name) + ": expected 2 to 12 bits a symbol" +
                          (least == 0 ? ", or 0 (outage)" : "") + ", got " + std::to_string(bits));
}

}  // namespace

double needed_snr(int bits) {
    expect_step("step", bits, kLeastBits);
    return kNeeded[static_cast<std::size_t>(bits - kLeastBits)];
}

int next_step(int bits, double snr, int top, double hysteresis) {
    expect_step("step", bits, 0);
    expect_step("densest step", top, kLeastBits);
    if (std::isnan(snr)) throw InvalidArgument("snr: expected a number of dB, got nan");
    if (!(hysteresis >= 0.0)) {
        throw InvalidArgument("hysteresis: expected at least 0 dB, got " + std::to_string(hysteresis));
    }
    for (int step = top; step >= kLeastBits; --step) {
        if (snr >= needed_snr(step) + (step > bits ? hysteresis : 0.0)) return step;
    }
    return 0;
}

}  // namespace tiertwin::radio
