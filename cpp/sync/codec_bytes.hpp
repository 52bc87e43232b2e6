// Unaligned little-endian loads and stores, and a writer that grows a frame. Private to `sync` and `log`.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "sync/header.hpp"

namespace tiertwin::sync {

static_assert(std::endian::native == std::endian::little, "frames are little-endian and read in place");

template <typename T>
[[nodiscard]] inline T load(const std::uint8_t* from) {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}

template <typename T>
inline void store(std::uint8_t* to, T value) {
    std::memcpy(to, &value, sizeof(T));
}

template <typename T>
inline void put(Frame& frame, T value) {
    const std::size_t at = frame.size();
    frame.resize(at + sizeof(T));
    store(frame.data() + at, value);
}

[[nodiscard]] constexpr std::size_t padded(std::size_t bytes) { return (bytes + 7U) & ~std::size_t{7}; }

[[nodiscard]] inline bool all_zero(const std::uint8_t* from, std::size_t bytes) {
    std::uint8_t any = 0;
    for (std::size_t i = 0; i < bytes; ++i) any = static_cast<std::uint8_t>(any | from[i]);
    return any == 0;
}

}  // namespace tiertwin::sync
