#include "sync/codec.hpp"

#include "sync/codec_bytes.hpp"
#include "sync/ingest_values.hpp"

namespace tiertwin::sync {
namespace {

// Takes the next column of a block: its bytes, padded to 8, inside `rest` and with zero padding.
struct Columns {
    Bytes rest;
    std::size_t at = kBlockHeaderBytes;
    Verdict verdict{};

    const std::uint8_t* take(std::size_t bytes) {
        if (!verdict.ok()) return nullptr;
        if (padded(bytes) > rest.size() - at) {
            verdict = {Reason::block_short, at};
            return nullptr;
        }
        const std::uint8_t* column = rest.data() + at;
        if (!all_zero(column + bytes, padded(bytes) - bytes)) verdict = {Reason::padding, at + bytes};
        at += padded(bytes);
        return column;
    }
};

// offsets[0] = 0, ascending, no value longer than 1 KiB, and the data behind them inside the block.
Verdict take_bytes_column(Columns& columns, std::size_t n, BlockView& out) {
    const std::size_t at = columns.at;
    const std::size_t offsets = 4 * (n + 1);
    if (offsets > columns.rest.size() - at) return {Reason::block_short, at};
    const std::uint8_t* table = columns.rest.data() + at;
    std::uint32_t before = load<std::uint32_t>(table);
    if (before != 0) return {Reason::offsets, at};
    for (std::size_t i = 1; i <= n; ++i) {
        const auto offset = load<std::uint32_t>(table + 4 * i);
        if (offset < before) return {Reason::offsets, at + 4 * i};
        if (offset - before > kMaxBytesValue) return {Reason::value_length, at + 4 * i};
        before = offset;
    }
    out.values = columns.take(offsets + before);
    out.data = out.values + offsets;
    return columns.verdict;
}

bool flags_fit(std::uint8_t flags, bool solver) {
    return solver ? (flags == kOneTime || flags == (kOneTime | kDenseRows)) : (flags & ~kOneTime) == 0;
}

bool time_fits(Time base, bool solver) {
    if (solver) return base == 0;
    return base % kMicrosecond == 0 && base >= -kMaxBaseTime && base <= kMaxBaseTime;
}

}  // namespace

Verdict parse_block(Bytes rest, bool solver, BlockView& out) {
    if (rest.size() < kBlockHeaderBytes) return {Reason::block_short, 0};
    const std::uint8_t* at = rest.data();
    out.attribute = load<std::uint16_t>(at);
    const std::uint8_t type = at[2];
    if (type < 1 || type > (solver ? 4 : 5)) return {Reason::block_type, 2};
    out.type = static_cast<ValueType>(type);
    out.flags = at[3];
    if (!flags_fit(out.flags, solver)) return {Reason::block_flags, 3};
    out.n = load<std::uint32_t>(at + 4);
    if (out.n == 0) return {Reason::block_empty, 4};
    out.base_time = load<std::int64_t>(at + 8);
    if (!time_fits(out.base_time, solver)) return {Reason::block_time, 8};

    const std::size_t n = out.n;
    Columns columns{.rest = rest};
    out.rows = (out.flags & kDenseRows) != 0 ? nullptr : columns.take(4 * n);
    out.dt = (out.flags & kOneTime) != 0 ? nullptr : columns.take(4 * n);
    out.data = nullptr;
    if (!columns.verdict.ok()) return columns.verdict;
    if (out.dt != nullptr && out.base_time + Time{largest(out.dt, n)} * kMicrosecond > kMaxBaseTime) {
        return {Reason::block_time, 8};
    }
    if (out.type == ValueType::bytes) {
        if (const Verdict verdict = take_bytes_column(columns, n, out); !verdict.ok()) return verdict;
    } else {
        out.values = columns.take(width_of(out.type) * n);
    }
    out.size = columns.at;
    return columns.verdict;
}

}  // namespace tiertwin::sync
