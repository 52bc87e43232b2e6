#include <doctest/doctest.h>

#include <cmath>

#include "base/random.hpp"

namespace base_test {

using tiertwin::philox4x32;
using tiertwin::PhiloxBlock;
using tiertwin::Stream;

TEST_CASE("philox4x32-10 gives the known answers of Random123") {
    CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    constexpr std::uint32_t ones = 0xffffffff;
    CHECK(philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
          PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream is words of blocks (block number, purpose, entity) under the seed") {
    Stream stream(0x299f31d0a4093822, 0x0370734413198a2e, 7);
    for (std::uint32_t block = 0; block < 3; ++block)
        for (const std::uint32_t word : philox4x32({block, 7, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}))
            CHECK(stream.next_u32() == word);
}

TEST_CASE("streams of other entities, purposes and seeds are independent") {
    Stream a(1, 2, 3), entity(1, 3, 3), purpose(1, 2, 4), seed(2, 2, 3);
    const auto first = a.next_u32();
    CHECK(first != entity.next_u32());
    CHECK(first != purpose.next_u32());
    CHECK(first != seed.next_u32());
}

TEST_CASE("moments of the distributions") {
    constexpr int n = 200'000;
    Stream stream(11, 0, 0);
    double u = 0, e = 0, g = 0, g2 = 0;
    for (int i = 0; i < n; ++i) {
        const double x = stream.uniform();
        REQUIRE(x >= 0.0);
        REQUIRE(x < 1.0);
        u += x;
        e += stream.exponential(4.0);
        const double z = stream.normal();
        g += z;
        g2 += z * z;
    }
    // Five standard errors each.
    CHECK(std::abs(u / n - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
    CHECK(std::abs(e / n - 0.25) < 5 * 0.25 / std::sqrt(n));
    CHECK(std::abs(g / n) < 5 / std::sqrt(n));
    CHECK(std::abs(g2 / n - 1) < 5 * std::sqrt(2.0 / n));
}

TEST_CASE("below stays inside and covers evenly") {
    Stream stream(5, 5, 5);
    int count[7] = {};
    for (int i = 0; i < 70'000; ++i) ++count[stream.below(7)];
    for (const int c : count) CHECK(std::abs(c - 10'000) < 5 * 93);
    CHECK(stream.below(1) == 0);
    for (int i = 0; i < 100; ++i) CHECK(stream.below(0xffffffff) < 0xffffffff);
}

}  // namespace base_test
