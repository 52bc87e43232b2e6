// The digest of R14: a sum modulo 2^64 over cells, so it does not depend on their order and folds cell by cell.
//
//   key(table, attribute)  = mix(table * 2^16 + attribute + 0x746965727477696e)          ("tiertwin")
//   hash(cell)             = the same mix of (key + row * 0x9e3779b97f4a7c15) ^ bits(value), with the time XORed in
//                            between its two multiplications
//   mix(x)                 = the 64-bit finaliser of MurmurHash3
//
// Two multiplications a cell, since a digest is the dearest part of an ingest. -0.0 counts as 0 and every NaN as
// 0x7ff8000000000000. A bytes value folds its little-endian 64-bit words (zero-padded), then its length, by h = mix(h ^
// word) from 0; that h stands for bits(value). The number is not hashed: a stream numbered afresh still agrees. Not
// cryptographic: sessions are authenticated.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "base/types.hpp"

namespace tiertwin {

inline constexpr std::uint64_t kRowStep = 0x9e3779b97f4a7c15U;

[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) {
    x ^= x >> 33U;
    x *= 0xff51afd7ed558ccdU;
    x ^= x >> 33U;
    x *= 0xc4ceb9fe1a85ec53U;
    x ^= x >> 33U;
    return x;
}

[[nodiscard]] constexpr std::uint64_t column_key(std::uint16_t table, std::uint16_t attribute) {
    return mix64((std::uint64_t{table} << 16U) + attribute + 0x746965727477696eU);
}

[[nodiscard]] constexpr std::uint64_t canonical_bits(double value) {
    if (value != value) return 0x7ff8000000000000U;
    return std::bit_cast<std::uint64_t>(value + 0.0);  // -0.0 + 0.0 is 0.0
}

[[nodiscard]] constexpr std::uint64_t cell_hash(std::uint64_t key, std::uint64_t row, Time time, std::uint64_t bits) {
    std::uint64_t x = (key + row * kRowStep) ^ bits;
    x = ((x ^ x >> 33U) * 0xff51afd7ed558ccdU) ^ static_cast<std::uint64_t>(time);
    x = (x ^ x >> 33U) * 0xc4ceb9fe1a85ec53U;
    return x ^ x >> 33U;
}

[[nodiscard]] std::uint64_t bytes_bits(std::string_view text);

}  // namespace tiertwin
