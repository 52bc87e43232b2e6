// Where the plant's randomness comes from: Philox blocks keyed by (seed, entity, purpose), counted by the entity's own
// events. Nothing here has state: the k-th draw of a device is the same whoever else exists and in whatever order
// events fall.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

#include "base/random.hpp"

namespace tiertwin::plant {

// Purposes are part of the format of a run: a new one is added at the end, none is ever renumbered.
enum class Purpose : std::uint32_t {
    kArrival = 0x504C'0001,  // words 0-1: gap to the next task, word 2: its tier
    kSize,                   // words 0-1: megabits, words 2-3: gigacycles (only for exponential sizes)
    kOnOff,                  // words 0-1: length of an on or off time
    kDevice,                 // block 0: report phase, clock offset; block 1: trace phase, on or off at time 0
    kDeviceReport,           // four blocks a report: delay and loss, then two pairs of normals
    kServer,
    kServerReport,
    kLink,
    kLinkReport,
    kPacket,       // words 0-1: gap before the packet, words 2-3: its size
    kPacketPhase,  // of a flow of packets. Constant: words 0-1; on-off: words 0-1 on or off at time 0, 2-3 rest of the
                   // on time
    kPacketBurst,  // words 0-1: an off time, words 2-3: the on time after it
    kMobility,     // whatever a model of movement draws next
    kTrain,        // of a train: words 0-1 speed, words 2-3 where it begins
    kAccessCell,   // of a cell of a radio access network, hidden. Block 0: loss, azimuth (normals); 1: tilt; 2: words
                   // 0-1 efficiency, 2-3 law; 3: word 0 phase of its reports
    kAccessUser,   // words 0-1 clock offset, word 2 phase of reports, word 3 whether it is unseen
    kAccessUserReport,  // four blocks a report: delay and loss, then three pairs of normals
    kAccessCellReport,  // four blocks a report: delay and loss, then a pair of normals

    // Wear and weather (wear.hpp, rain_field.hpp), in a range of their own.
    kWearLife = 0x504C'0100,  // of a part: words 0-1 its exponential life, one a life
    kWearStep,                // two blocks a step: a pair of normals, a pair of uniforms
    kWearRepair,              // words 0-3: normal of a lognormal repair; words 0-1: exponential repair
    kWearSignal,              // words 0-1: error count of a measurement
    kWearReport,              // as kLinkReport
    kRain,                    // of a rain cell, four blocks: gap and life, place, radius and peak, heading
    kRainReport,              // as kLinkReport

    // Groups of users under a radio access network (plant_users.hpp).
    kBaseStation = 0x504C'0200,  // of a site: words 0-1 phase of its reports, words 2-3 clock offset
    kBaseStationReport,          // as kLinkReport: delay and loss
    kGroupReport,                // as kDeviceReport, of a group: noise alone

    // Faults injected (faults.hpp).
    kLinkLoss = 0x504C'0300,  // of a directed link, one block a task that crosses it while it is lossy
    kLinkFrames,              // of a directed link, one block a report: bad frames
};

class Chance {
  public:
    explicit constexpr Chance(std::uint64_t seed)
        : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)} {}

    [[nodiscard]] constexpr PhiloxBlock block(std::uint64_t entity, Purpose purpose, std::uint32_t number) const {
        return philox4x32({number, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(entity),
                           static_cast<std::uint32_t>(entity >> 32)},
                          key_);
    }

  private:
    PhiloxKey key_;
};

// Uniform on [0, 1), a multiple of 2^-53, from two words.
[[nodiscard]] constexpr double uniform(std::uint32_t high, std::uint32_t low) {
    return static_cast<double>((std::uint64_t{high >> 5} << 26) | (low >> 6)) * 0x1p-53;
}

// Exponential of mean 1 from two words; never infinite.
[[nodiscard]] inline double exponential(std::uint32_t high, std::uint32_t low) {
    return -std::log(1.0 - uniform(high, low));
}

// Two independent standard normals from one block (Box-Muller).
[[nodiscard]] inline std::pair<double, double> normals(const PhiloxBlock& words) {
    const double radius = std::sqrt(2.0 * exponential(words[0], words[1]));
    const double angle = 2.0 * std::numbers::pi * uniform(words[2], words[3]);
    return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace tiertwin::plant
