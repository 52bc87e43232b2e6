#include "sync/crc32c.hpp"

#include <array>

#include "sync/codec_bytes.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
#define TIERTWIN_CRC_X86 1
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define TIERTWIN_CRC_ARM 1
#endif

namespace tiertwin::sync {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78U;

using Table = std::array<std::uint32_t, 256>;

// tables[k][b]: the register after byte b and k zero bytes.
constexpr std::array<Table, 8> make_tables() {
    std::array<Table, 8> tables{};
    for (std::uint32_t b = 0; b < 256; ++b) {
        std::uint32_t crc = b;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
        tables[0][b] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t b = 0; b < 256; ++b) {
            const std::uint32_t before = tables[k - 1][b];
            tables[k][b] = (before >> 8U) ^ tables[0][before & 0xffU];
        }
    }
    return tables;
}
constexpr std::array<Table, 8> kTables = make_tables();

// The register without the final inversion, so that pieces chain.
std::uint32_t by_tables(std::uint32_t crc, const std::uint8_t* at, std::size_t size) {
    for (; size >= 8; at += 8, size -= 8) {
        const std::uint64_t word = load<std::uint64_t>(at) ^ crc;
        crc = 0;
        for (std::size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xffU];
    }
    for (; size > 0; ++at, --size) crc = (crc >> 8U) ^ kTables[0][(crc ^ *at) & 0xffU];
    return crc;
}

#if defined(TIERTWIN_CRC_X86) || defined(TIERTWIN_CRC_ARM)

#if defined(TIERTWIN_CRC_X86)
#define TIERTWIN_CRC_TARGET __attribute__((target("sse4.2")))
TIERTWIN_CRC_TARGET inline std::uint32_t step8(std::uint32_t crc, const std::uint8_t* at) {
    return static_cast<std::uint32_t>(_mm_crc32_u64(crc, load<std::uint64_t>(at)));
}
TIERTWIN_CRC_TARGET inline std::uint32_t step1(std::uint32_t crc, std::uint8_t byte) { return _mm_crc32_u8(crc, byte); }
#else
#define TIERTWIN_CRC_TARGET
inline std::uint32_t step8(std::uint32_t crc, const std::uint8_t* at) {
    return __crc32cd(crc, load<std::uint64_t>(at));
}
inline std::uint32_t step1(std::uint32_t crc, std::uint8_t byte) { return __crc32cb(crc, byte); }
#endif

// The instruction has a latency of 3 cycles and a throughput of 1: three streams of kLane bytes run side by side, and
// their registers are joined by moving one over kLane zero bytes (linear in the register: four tables of 256).
constexpr std::size_t kLane = 1024;

constexpr std::array<Table, 4> make_shift() {
    std::array<std::uint32_t, 32> image{};  // of every single bit
    for (std::size_t bit = 0; bit < 32; ++bit) {
        std::uint32_t crc = std::uint32_t{1} << bit;
        for (std::size_t i = 0; i < kLane; ++i) crc = (crc >> 8U) ^ kTables[0][crc & 0xffU];
        image[bit] = crc;
    }
    std::array<Table, 4> shift{};
    for (std::size_t k = 0; k < 4; ++k) {
        for (std::size_t b = 0; b < 256; ++b) {
            for (std::size_t bit = 0; bit < 8; ++bit) {
                if ((b >> bit & 1U) != 0) shift[k][b] ^= image[8 * k + bit];
            }
        }
    }
    return shift;
}
constexpr std::array<Table, 4> kShift = make_shift();

inline std::uint32_t over_lane(std::uint32_t crc) {
    return kShift[0][crc & 0xffU] ^ kShift[1][crc >> 8U & 0xffU] ^ kShift[2][crc >> 16U & 0xffU] ^
           kShift[3][crc >> 24U];
}

TIERTWIN_CRC_TARGET std::uint32_t by_instruction(std::uint32_t crc, const std::uint8_t* at, std::size_t size) {
    for (; size >= 3 * kLane; at += 3 * kLane, size -= 3 * kLane) {
        std::uint32_t second = 0;
        std::uint32_t third = 0;
        for (std::size_t i = 0; i < kLane; i += 8) {
            crc = step8(crc, at + i);
            second = step8(second, at + kLane + i);
            third = step8(third, at + 2 * kLane + i);
        }
        crc = over_lane(over_lane(crc) ^ second) ^ third;
    }
    for (; size >= 8; at += 8, size -= 8) crc = step8(crc, at);
    for (; size > 0; ++at, --size) crc = step1(crc, *at);
    return crc;
}
#endif

using Kernel = std::uint32_t (*)(std::uint32_t, const std::uint8_t*, std::size_t);

Kernel choose() {
#if defined(TIERTWIN_CRC_X86)
    if (__builtin_cpu_supports("sse4.2")) return by_instruction;
#elif defined(TIERTWIN_CRC_ARM)
    return by_instruction;
#endif
    return by_tables;
}

Kernel kernel() {
    static const Kernel chosen = choose();
    return chosen;
}

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::uint8_t> data) {
    return ~kernel()(~crc, data.data(), data.size());
}

std::uint32_t crc32c_software(std::uint32_t crc, std::span<const std::uint8_t> data) {
    return ~by_tables(~crc, data.data(), data.size());
}

bool crc32c_has_instruction() { return kernel() != by_tables; }

}  // namespace tiertwin::sync
