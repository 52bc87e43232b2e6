// How many packets of each flow took how long, for quantiles of bounded error: buckets of a width of 1/128 of their
// octave.
//
// A quantile is the middle of its bucket, so it is off by at most 1/256 (0.4 %); delays below 256 ns are exact. Memory:
// 224 bytes a flow and 512 a flow and octave that occurs.
//
// Thread     one thread owns it.   Costs  a packet: a few ns.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::plant {

class PacketDelays {
  public:
    explicit PacketDelays(std::size_t flows) : block_of_(flows) {}

    // Requires delay >= 0. Counted in batches, so that the processor overlaps their loads.
    void add(std::size_t flow, Time delay) {
        batch_[pending_++] = {flow, delay};
        if (pending_ == batch_.size()) count();
    }

    // The smallest delay that at least q of the flow's packets do not exceed, within 0.4 %; -1 where there are none.
    // Requires 0 <= q <= 1.
    [[nodiscard]] Time quantile(std::size_t flow, double q);

    // Calls take(middle of a bucket, packets in it) for a flow, ascending.
    template <typename Take>
    void each(std::size_t flow, Take take) {
        count();
        for (std::size_t octave = 0; octave < kOctaves; ++octave) {
            const std::uint32_t block = block_of_[flow][octave];
            for (std::size_t step = 0; block != 0 && step < kSteps; ++step) {
                if (counts_[block - 1][step] > 0) take(middle({octave, step}), counts_[block - 1][step]);
            }
        }
    }

  private:
    static constexpr unsigned kStepBits = 7;
    static constexpr std::size_t kSteps = std::size_t{1} << kStepBits, kOctaves = 64 - kStepBits;
    struct Place {
        std::size_t octave, step;
    };
    static Place find(Time delay) {
        const auto ns = static_cast<std::uint64_t>(delay);
        if (ns < kSteps) return {0, ns};
        const auto shift = static_cast<unsigned>(std::bit_width(ns)) - kStepBits - 1;
        return {shift + 1, (ns >> shift) - kSteps};
    }
    static Time middle(Place place) {
        if (place.octave == 0) return static_cast<Time>(place.step);
        const auto shift = static_cast<unsigned>(place.octave) - 1;
        return static_cast<Time>(((kSteps + place.step) << shift) + (std::uint64_t{1} << shift) / 2);
    }

    void count();

    struct Delay {
        std::size_t flow;
        Time ns;
    };
    std::array<Delay, 32> batch_{};
    std::size_t pending_ = 0;
    std::vector<std::array<std::uint32_t, kOctaves>> block_of_;  // number in counts_, from 1; 0 none yet
    std::vector<std::array<std::uint32_t, kSteps>> counts_;      // a flow makes fewer than 2^32 packets
};

}  // namespace tiertwin::plant
