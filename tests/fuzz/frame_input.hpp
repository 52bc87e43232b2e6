// What the targets that take frames share: how an input is cut into frames, and what holds. One input:
//
//   byte 0: bit 1 lengths and checksums are put right first, so that the input gets past them; other bits: the target's
//   then frames, each behind its length u16, at most 8
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <vector>

#include "sync/codec_bytes.hpp"
#include "sync/header.hpp"

namespace tiertwin::sync {

// Assertions stay on in release builds.
inline void hold(bool condition, const std::source_location& at = std::source_location::current()) {
    if (condition) return;
    std::fprintf(stderr, "%s:%u does not hold\n", at.file_name(), static_cast<unsigned>(at.line()));
    std::abort();
}

// Body length, count of a session's frames and checksum as they must be; the rest is left as it is.
inline void repair(Frame& frame) {
    if (frame.size() < kHeaderBytes) return;
    store(frame.data() + 8, static_cast<std::uint32_t>(frame.size() - kHeaderBytes));
    restamp(frame, load<std::uint32_t>(frame.data() + 20), false);
}

// Calls `take` with each frame of an input that is not empty.
template <typename Take>
void each_frame(Bytes input, const Take& take) {
    constexpr std::size_t kFrames = 8;
    const bool repaired = (input[0] & 2U) != 0;
    Bytes rest = input.subspan(1);
    Frame frame;
    for (std::size_t k = 0; k < kFrames && rest.size() >= 2; ++k) {
        const std::size_t length = std::min<std::size_t>(load<std::uint16_t>(rest.data()), rest.size() - 2);
        frame.assign(rest.begin() + 2, rest.begin() + 2 + static_cast<std::ptrdiff_t>(length));
        if (repaired) repair(frame);
        take(frame);
        rest = rest.subspan(2 + length);
    }
}

}  // namespace tiertwin::sync
