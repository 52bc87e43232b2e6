#include "sync/ingest_values.hpp"

#include <cmath>
#include <limits>

namespace tiertwin::sync {
namespace {

// Runs without a branch in the loop, so that it vectorises; only a bad block is looked at again, to say why.
template <typename T>
Reason check_numbers(const std::uint8_t* values, std::size_t n, Range range) {
    unsigned outside = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double v = value_at<T>(values, i);
        outside |= static_cast<unsigned>(!(v >= range.low)) | static_cast<unsigned>(!(v <= range.high));
    }
    if (outside == 0) return Reason::ok;
    for (std::size_t i = 0; i < n; ++i) {
        if (!std::isfinite(value_at<T>(values, i))) return Reason::not_finite;
    }
    return Reason::range;
}

// Compared as integers: 2^53 + 1 would round into range as a double.
Reason check_integers(const std::uint8_t* values, std::size_t n, Range range) {
    constexpr auto kExact = static_cast<std::int64_t>(kMaxExactInteger);
    unsigned inexact = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto v = load<std::int64_t>(values + 8 * i);
        inexact |= static_cast<unsigned>(v < -kExact) | static_cast<unsigned>(v > kExact);
    }
    if (inexact != 0) return Reason::inexact;
    return check_numbers<std::int64_t>(values, n, range);
}

}  // namespace

Range widest(ValueType type) {
    switch (type) {
        case ValueType::f32:
            return {std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()};
        case ValueType::i64:
            return {-kMaxExactInteger, kMaxExactInteger};
        case ValueType::u32:
            return {0.0, std::numeric_limits<std::uint32_t>::max()};
        default:
            return {std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max()};
    }
}

bool rows_consecutive(const std::uint8_t* rows, std::size_t n) {
    const auto first = load<std::uint32_t>(rows);
    std::uint32_t different = 0;
    for (std::size_t i = 0; i < n; ++i)
        different |= load<std::uint32_t>(rows + 4 * i) ^ (first + static_cast<std::uint32_t>(i));
    return different == 0;
}

bool rows_below(const BlockView& block, index_t rows) {
    std::uint32_t top = 0;
    for (std::size_t i = 0; i < block.n; ++i) top = std::max(top, load<std::uint32_t>(block.rows + 4 * i));
    return top < rows;
}

Reason check_values(const BlockView& block, Range range) {
    if (block.type == ValueType::bytes) return Reason::ok;  // lengths are structure, parse_block saw them
    if (block.type == ValueType::i64) return check_integers(block.values, block.n, range);
    return with_type(block.type, [&]<typename T>(T) { return check_numbers<T>(block.values, block.n, range); });
}

}  // namespace tiertwin::sync
