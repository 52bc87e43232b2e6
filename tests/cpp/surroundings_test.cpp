// Wear, rain, modulation and base stations: the published figures, and what a header promises that Python cannot see.
#include "plant/surroundings.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "plant/rain_field.hpp"
#include "plant/sleep.hpp"
#include "plant/wear.hpp"
#include "radio/backhaul.hpp"
#include "radio/base_station.hpp"

namespace surroundings_test {

using namespace tiertwin;
using namespace tiertwin::plant;

TEST_CASE("Arrhenius: 0.7 eV from 25 to 35 degrees ages 2.42 times as fast") {
    CHECK(heat_factor(0.7, 25.0, 35.0) == doctest::Approx(2.42).epsilon(0.002));
    CHECK(heat_factor(0.7, 25.0, 25.0) == 1.0);
}

TEST_CASE("EARTH: a macro station takes 1344 W at full load, 780 W without, 450 W asleep") {
    const radio::BaseStation& macro = radio::base_station("macro");
    CHECK(radio::station_power(macro, 1.0) == doctest::Approx(1344.0));
    CHECK(radio::station_power(macro, 0.0) == doctest::Approx(780.0));
    CHECK(radio::sleeping_power(macro) == doctest::Approx(450.0));
    CHECK_THROWS_AS(static_cast<void>(radio::base_station(std::ptrdiff_t{5})), InvalidArgument);
}

TEST_CASE("Steps of modulation need the Shannon limit and 3 dB, to 0.1 dB") {
    for (int bits = radio::kLeastBits; bits <= radio::kMostBits; ++bits) {
        const double exact = 3.0 + 10.0 * std::log10(std::exp2(bits) - 1.0);
        CHECK(std::abs(radio::needed_snr(bits) - exact) <= 0.05 + 1e-9);
    }
}

TEST_CASE("A part fails where its drift meets the limit and is as new when repaired, event by event") {
    WearConfig config;
    WearLaw law;
    law.drift_per_s = 0.25;  // fails after 4 s
    law.repair_s = 2.0;
    law.repair_sigma = 1e-9;
    config.laws = {law};
    config.part_key = {7};
    config.part_law = {0};
    Wear wear(config, Chance(1));
    std::vector<double> times;
    while (times.size() < 4) {
        if (wear.next_event() <= wear.next_measurement()) {
            times.push_back(static_cast<double>(wear.step().time) * 1e-9);
        } else {
            wear.measure(std::vector<double>{0.0});
        }
    }
    const std::vector<double> expected{4.0, 6.0, 10.0, 12.0};
    for (std::size_t i = 0; i < 4; ++i) CHECK(times[i] == doctest::Approx(expected[i]).epsilon(1e-6));
    CHECK(wear.failures(0) == 2);
    CHECK(wear.wear(0) == 0.0);
}

TEST_CASE("Downtime counts once, whoever marks it how often") {
    DownTime down;
    down.mark(10, true);
    down.mark(20, true);
    CHECK(down.until(25) == 15);
    down.mark(30, false);
    down.mark(40, false);
    CHECK(down.until(100) == 20);
}

TEST_CASE("A path outside all rain loses nothing, and a path of no length neither") {
    RainConfig config;
    config.at_s = {-50.0};
    config.x_km = config.y_km = config.speed = config.heading = {0.0};
    config.radius = {2.0};
    config.peak = {80.0};
    config.life = {100.0};
    const RainField field(config, Chance(1));
    CHECK(field.loss({20.0, 0.0, 30.0, 0.0, 1.0, 1.0}) == 0.0);
    CHECK(field.loss({0.0, 0.0, 0.0, 0.0, 1.0, 1.0}) == 0.0);
    CHECK(field.rate(0.0, 0.0) == doctest::Approx(80.0));
    CHECK(field.rate(2.0, 0.0) == doctest::Approx(80.0 / std::exp(1.0)));
}

TEST_CASE("A site that sleeps holds who comes until it is awake, and nobody after") {
    Sleep sleep({{0}, 1.0, 0.5}, {2.0});
    CHECK_FALSE(sleep.hold(kSecond / 2, 0, 11));  // idle for less than the second it waits
    sleep.used(0);
    sleep.idle(kSecond, 0);
    CHECK(sleep.asleep(3 * kSecond, 0));
    CHECK(sleep.hold(3 * kSecond, 0, 12));
    CHECK(sleep.hold(3 * kSecond + 1, 0, 13));
    CHECK(sleep.next() == 3 * kSecond + kSecond / 2);
    std::size_t site = 9;
    CHECK(sleep.woken(site) == std::vector<TaskId>{12, 13});
    CHECK(site == 0);
    CHECK(sleep.next() == plant::kNever);
    CHECK_FALSE(sleep.hold(3 * kSecond + kSecond / 2, 0, 14));
    CHECK(sleep.asleep_s(4 * kSecond, 0) == doctest::Approx(1.0));
    // two cells, a second of sleep, three awake, half a cell second of work
    CHECK(sleep.energy_j(4 * kSecond, 0, 0.5) == doctest::Approx(2 * (450.0 + 3 * 780.0) + 0.5 * (1344.0 - 780.0)));
}

}  // namespace surroundings_test
