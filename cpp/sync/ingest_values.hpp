// Values and rows of one block: what is refused, and how a wire value becomes the f64 of a cell. Private to `sync`.
#pragma once

#include <type_traits>

#include "sync/codec.hpp"
#include "sync/codec_bytes.hpp"

namespace tiertwin::sync {

[[nodiscard]] bool rows_below(const BlockView& block, index_t rows);
[[nodiscard]] Reason check_values(const BlockView& block, Range range);

[[nodiscard]] std::uint32_t largest(const std::uint8_t* column, std::size_t n);  // of u32

// Rows first, first + 1, … : most blocks come from whole columns, and those move like memcpy.
[[nodiscard]] bool rows_consecutive(const std::uint8_t* rows, std::size_t n);

template <typename T>
[[nodiscard]] inline double value_at(const std::uint8_t* values, std::size_t i) {
    return static_cast<double>(load<T>(values + sizeof(T) * i));
}

// Calls f(T{}) with the wire type of a numeric block.
template <typename F>
decltype(auto) with_type(ValueType type, F&& f) {
    switch (type) {
        case ValueType::f32:
            return f(float{});
        case ValueType::i64:
            return f(std::int64_t{});
        case ValueType::u32:
            return f(std::uint32_t{});
        default:
            return f(double{});
    }
}

}  // namespace tiertwin::sync
