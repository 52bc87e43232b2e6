#include "sync/ingest_values.hpp"

#include <cmath>

#include "state/wide.hpp"

namespace tiertwin::sync {
namespace {

// These run without a branch in the loop, so that they vectorise; only a bad block is looked at again, to say why.
TIERTWIN_WIDE bool all_inside_f64(const std::uint8_t* values, std::size_t n, double low, double high) {
    std::uint64_t outside = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto v = load<double>(values + 8 * i);
        outside |= static_cast<std::uint64_t>(v >= low && v <= high) ^ 1U;
    }
    return outside == 0;
}

TIERTWIN_WIDE bool all_inside_f32(const std::uint8_t* values, std::size_t n, float low, float high) {
    std::uint32_t outside = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto v = load<float>(values + 4 * i);
        outside |= static_cast<std::uint32_t>(v >= low && v <= high) ^ 1U;
    }
    return outside == 0;
}

TIERTWIN_WIDE bool all_inside_i64(const std::uint8_t* values, std::size_t n, std::int64_t low, std::int64_t high) {
    std::uint64_t outside = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto v = load<std::int64_t>(values + 8 * i);
        outside |= static_cast<std::uint64_t>(v >= low && v <= high) ^ 1U;
    }
    return outside == 0;
}

TIERTWIN_WIDE std::uint32_t largest_u32(const std::uint8_t* column, std::size_t n) {
    std::uint32_t top = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto v = load<std::uint32_t>(column + 4 * i);
        top = top < v ? v : top;
    }
    return top;
}

TIERTWIN_WIDE std::uint32_t smallest_u32(const std::uint8_t* column, std::size_t n) {
    std::uint32_t least = ~std::uint32_t{0};
    for (std::size_t i = 0; i < n; ++i) {
        const auto v = load<std::uint32_t>(column + 4 * i);
        least = v < least ? v : least;
    }
    return least;
}

TIERTWIN_WIDE std::uint32_t off_by(const std::uint8_t* rows, std::size_t n, std::uint32_t first) {
    std::uint32_t different = 0;
    for (std::size_t i = 0; i < n; ++i) {
        different |= load<std::uint32_t>(rows + 4 * i) ^ (first + static_cast<std::uint32_t>(i));
    }
    return different;
}

template <typename T>
Reason why_outside(const std::uint8_t* values, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        if (!std::isfinite(value_at<T>(values, i))) return Reason::not_finite;
    }
    return Reason::range;
}

// Compared as integers: 2^53 + 1 would round into range as a double.
Reason check_integers(const BlockView& block, Range range) {
    constexpr auto kExact = static_cast<std::int64_t>(kMaxExactInteger);
    const auto low = static_cast<std::int64_t>(std::ceil(range.low));
    const auto high = static_cast<std::int64_t>(std::floor(range.high));
    if (all_inside_i64(block.values, block.n, low, high)) return Reason::ok;
    return all_inside_i64(block.values, block.n, -kExact, kExact) ? Reason::range : Reason::inexact;
}

}  // namespace

std::uint32_t largest(const std::uint8_t* column, std::size_t n) { return largest_u32(column, n); }

bool rows_consecutive(const std::uint8_t* rows, std::size_t n) {
    const auto first = load<std::uint32_t>(rows);
    // A wrap past 2^32 - 1 is not a run.
    return std::uint64_t{first} + n <= std::uint64_t{1} << 32U && off_by(rows, n, first) == 0;
}

bool rows_below(const BlockView& block, index_t rows) {
    const auto last = load<std::uint32_t>(block.rows + 4 * (std::size_t{block.n} - 1));
    return last < rows && largest_u32(block.rows, block.n) < rows;
}

Reason check_values(const BlockView& block, Range range) {
    const std::size_t n = block.n;
    bool inside = true;
    switch (block.type) {
        case ValueType::bytes:  // lengths are structure, parse_block saw them
            return Reason::ok;
        case ValueType::f64:
            inside = all_inside_f64(block.values, n, range.low, range.high);
            return inside ? Reason::ok : why_outside<double>(block.values, n);
        case ValueType::f32:  // the registry keeps f32 bounds that are floats
            inside = all_inside_f32(block.values, n, static_cast<float>(range.low), static_cast<float>(range.high));
            return inside ? Reason::ok : why_outside<float>(block.values, n);
        case ValueType::i64:
            return check_integers(block, range);
        case ValueType::u32:
            inside = smallest_u32(block.values, n) >= range.low && largest_u32(block.values, n) <= range.high;
            return inside ? Reason::ok : Reason::range;
    }
    return Reason::block_type;
}

}  // namespace tiertwin::sync
