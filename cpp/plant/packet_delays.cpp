#include "plant/packet_delays.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tiertwin::plant {

void PacketDelays::count() {
    for (std::size_t i = 0; i < pending_; ++i) {
        const Place place = find(batch_[i].ns);
        std::uint32_t& block = block_of_[batch_[i].flow][place.octave];
        if (block == 0) {
            counts_.emplace_back();
            block = static_cast<std::uint32_t>(counts_.size());
        }
        ++counts_[block - 1][place.step];
    }
    pending_ = 0;
}

Time PacketDelays::quantile(std::size_t flow, double q) {
    count();
    const auto& blocks = block_of_[flow];
    std::uint64_t total = 0;
    for (const std::uint32_t block : blocks) {
        if (block != 0) total = std::accumulate(counts_[block - 1].begin(), counts_[block - 1].end(), total);
    }
    if (total == 0) return -1;
    const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total))));
    std::uint64_t below = 0;
    Place last{};
    for (std::size_t octave = 0; octave < kOctaves; ++octave) {
        if (blocks[octave] == 0) continue;
        for (std::size_t step = 0; step < kSteps; ++step) {
            const std::uint32_t count = counts_[blocks[octave] - 1][step];
            if (count == 0) continue;
            last = {octave, step};
            below += count;
            if (below >= rank) return middle(last);
        }
    }
    return middle(last);
}

}  // namespace tiertwin::plant
