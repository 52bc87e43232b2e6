// Keyed counter-based random numbers: Philox 4x32-10.
//
//   block(counter, key) = ten rounds of   (c0,c1,c2,c3) -> (hi(M1 c2)^c1^k0, lo(M1 c2), hi(M0 c0)^c3^k1, lo(M0 c0))
//   key     = seed (64 bits)
//   counter = (block number 32, purpose 32, entity 64)
//
// The map (seed, entity, purpose) -> stream is injective: two streams never share a block, so adding an entity or a
// purpose changes no draw of another one. There is no global state; the k-th number of a stream depends on its key and
// k only, never on who else drew.
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011; checked against the
// known-answer vectors of Random123.
//
// Words used a call: next_u32 1 · uniform 2 · exponential 2 · normal 4 · below 1 (2 with probability < n / 2^32).
// Cost: about 2.5 ns a word. A stream holds 2^34 words; drawing more throws `Error`, it never repeats itself.
// Thread safety: a `Stream` belongs to one thread; `philox4x32` is a pure function.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/error.hpp"

namespace tiertwin {

using PhiloxBlock = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

[[nodiscard]] constexpr PhiloxBlock philox4x32(PhiloxBlock counter, PhiloxKey key) {
    constexpr std::uint64_t kM0 = 0xD2511F53, kM1 = 0xCD9E8D57;
    constexpr std::uint32_t kW0 = 0x9E3779B9, kW1 = 0xBB67AE85;
    constexpr int kRounds = 10;
    for (int round = 0; round < kRounds; ++round) {
        const std::uint64_t p0 = kM0 * counter[0];
        const std::uint64_t p1 = kM1 * counter[2];
        counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
                   static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
        key[0] += kW0;
        key[1] += kW1;
    }
    return counter;
}

class Stream {
  public:
    constexpr Stream(std::uint64_t seed, std::uint64_t entity, std::uint32_t purpose)
        : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
          purpose_(purpose),
          entity_{static_cast<std::uint32_t>(entity), static_cast<std::uint32_t>(entity >> 32)} {}

    [[nodiscard]] constexpr std::uint32_t next_u32() {
        if (used_ == 4) refill();
        return words_[used_++];
    }

    // Uniform on [0, 1): a multiple of 2^-53, never 1.
    [[nodiscard]] constexpr double uniform() {
        const std::uint64_t high = next_u32() >> 5, low = next_u32() >> 6;
        return static_cast<double>((high << 26) | low) * 0x1p-53;
    }

    // Exponential with the given rate (mean 1/rate, in the reciprocal unit). Requires rate > 0; never infinite.
    [[nodiscard]] double exponential(double rate) { return -std::log(1.0 - uniform()) / rate; }

    // Standard normal (Box-Muller; the sine half is not kept, so that every call uses the same number of words).
    [[nodiscard]] double normal() {
        const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
        return radius * std::cos(2.0 * std::numbers::pi * uniform());
    }

    // Uniform on {0, .., n-1}, without bias (Lemire's multiply and reject). Requires n >= 1.
    [[nodiscard]] constexpr std::uint32_t below(std::uint32_t n) {
        std::uint64_t product = std::uint64_t{next_u32()} * n;
        if (static_cast<std::uint32_t>(product) < n) {
            const std::uint32_t reject = (0U - n) % n;  // 2^32 mod n low products are one too many
            while (static_cast<std::uint32_t>(product) < reject) product = std::uint64_t{next_u32()} * n;
        }
        return static_cast<std::uint32_t>(product >> 32);
    }

  private:
    constexpr void refill() {
        if (block_ >> 32 != 0) throw Error("random stream exhausted after 2^34 words; give each entity its own stream");
        words_ = philox4x32({static_cast<std::uint32_t>(block_), purpose_, entity_[0], entity_[1]}, key_);
        ++block_;
        used_ = 0;
    }

    PhiloxKey key_;
    std::uint32_t purpose_;
    std::array<std::uint32_t, 2> entity_;
    std::uint64_t block_ = 0;
    PhiloxBlock words_{};
    std::uint32_t used_ = 4;
};

}  // namespace tiertwin
