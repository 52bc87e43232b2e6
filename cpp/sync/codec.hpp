// Blocks of one attribute: cells of a table to bytes, and bytes to spans in place.
//
//   0 attribute u16 · 2 type u8 · 3 flags u8 (1 one time, 2 rows 0 … n-1) · 4 n u32 · 8 base time i64 ns
//   16 row u32[n] · dt u32[n] µs unless flag 1 · value[n]  (bytes: offsets u32[n+1], data)    each column padded to 8
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "state/table.hpp"
#include "sync/kinds.hpp"

namespace tiertwin::sync {

inline constexpr std::size_t kBlockHeaderBytes = 16;
inline constexpr std::uint8_t kOneTime = 1;
inline constexpr std::uint8_t kDenseRows = 2;                    // SOLVE and SOLVED only
inline constexpr Time kMaxBaseTime = 9'000'000'000'000'000'000;  // base + dt cannot overflow

// A block in the frame's buffer; pointers are not aligned and die with the buffer. Null: column absent.
struct BlockView {
    AttributeId attribute = 0;
    ValueType type = ValueType::f64;
    std::uint8_t flags = 0;
    std::uint32_t n = 0;
    Time base_time = 0;
    const std::uint8_t* rows = nullptr;
    const std::uint8_t* dt = nullptr;
    const std::uint8_t* values = nullptr;  // of `bytes`: the offsets
    const std::uint8_t* data = nullptr;    // of `bytes` only
    std::size_t size = 0;                  // bytes of the whole block
};

// Structure only: lengths, type, flags, n, times, padding, offsets. `dense` permits (and requires) flag 2.
// `at` of the verdict counts from the start of `rest`.
[[nodiscard]] Verdict parse_block(Bytes rest, bool solver, BlockView& out);

// Values of a numeric block as f64.
[[nodiscard]] std::vector<double> values_of(const BlockView& block);

struct EncodeLimits {
    std::size_t frame_bytes = kCutBytes;  // header included
    std::size_t frames = SIZE_MAX;        // credit
    std::size_t total_bytes = SIZE_MAX;   // credit
};

struct EncodedDelta {
    Frame frame;
    std::uint64_t first = 0;
    std::uint32_t count = 0;
};

// Numbers the pending cells of `table` from `number` on, in ascending (attribute, row), and encodes them; what the
// limits do not let through stays pending. Costs what is pending, not what the table holds.
[[nodiscard]] std::vector<EncodedDelta> encode_delta(StateTable& table, std::uint64_t number, std::uint32_t incarnation,
                                                     const EncodeLimits& limits = {});

// A unit (a row of query, cut or point; a plan): everything pending in one frame of up to kMaxFrameBytes, or, for a
// plan that is larger, several with the same prefix; bit 0 on the last if `plan`. Without `plan` a unit beyond one
// frame is InvalidArgument and nothing is numbered. `lease` is required for, and only for, table `budget`.
[[nodiscard]] std::vector<EncodedDelta> encode_unit(StateTable& table, std::uint64_t number, std::uint32_t incarnation,
                                                    const std::optional<Lease>& lease, bool plan,
                                                    std::size_t frame_bytes = kMaxFrameBytes);

// Arrays of a solver request or answer: no table, no schema; dense blocks have rows 0 … n-1.
struct SolverBlock {
    AttributeId attribute = 0;
    ValueType type = ValueType::f64;  // not bytes
    bool dense = true;
    std::vector<std::uint32_t> rows;  // empty if dense
    std::vector<double> values;
};

[[nodiscard]] Frame encode(const SolvePrefix& prefix, std::span<const SolverBlock> blocks, std::uint32_t incarnation);
[[nodiscard]] Frame encode(const SolvedPrefix& prefix, std::span<const SolverBlock> blocks, std::uint32_t incarnation);
// Body of a frame whose header passed. Finite values only; the sum of n must be the header's count.
[[nodiscard]] Verdict decode_solver_blocks(const Header& header, Bytes blocks, std::vector<SolverBlock>& out);

}  // namespace tiertwin::sync
