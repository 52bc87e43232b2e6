// Arrays between an orchestrator and a solver: the same blocks, without a table or a schema.
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "sync/codec.hpp"
#include "sync/codec_bytes.hpp"
#include "sync/ingest_values.hpp"

namespace tiertwin::sync {
namespace {

template <typename T>
void put_values(Frame& frame, const std::vector<double>& values) {
    for (const double value : values) put(frame, static_cast<T>(value));
}

void check(const SolverBlock& block) {
    const std::string where = "solver block " + std::to_string(block.attribute) + ": ";
    if (block.type == ValueType::bytes || width_of(block.type) == 0)
        throw InvalidArgument(where + "expected a number type");
    if (block.values.empty()) throw InvalidArgument(where + "expected at least one value");
    if (!block.dense && block.rows.size() != block.values.size()) {
        throw InvalidArgument(where + "expected one row per value, got " + std::to_string(block.rows.size()) + " and " +
                              std::to_string(block.values.size()));
    }
    const Range range = widest(block.type);
    const bool integer = block.type == ValueType::i64 || block.type == ValueType::u32;
    for (const double value : block.values) {
        if (!(value >= range.low && value <= range.high) || (integer && value != std::trunc(value))) {
            throw InvalidArgument(where + "expected a finite " + std::string(name_of(block.type)) + ", got " +
                                  std::to_string(value));
        }
    }
}

void put_block(Frame& frame, const SolverBlock& block) {
    check(block);
    put(frame, block.attribute);
    put(frame, static_cast<std::uint8_t>(block.type));
    put(frame, static_cast<std::uint8_t>(block.dense ? kOneTime | kDenseRows : kOneTime));
    put(frame, static_cast<std::uint32_t>(block.values.size()));
    put(frame, Time{0});
    if (!block.dense) {
        for (const std::uint32_t row : block.rows) put(frame, row);
        frame.resize(padded(frame.size()));
    }
    with_type(block.type, [&]<typename T>(T) { put_values<T>(frame, block.values); });
    frame.resize(padded(frame.size()));
}

template <typename Prefix>
Frame encode_solver(Kind kind, const Prefix& prefix, std::span<const SolverBlock> blocks, std::uint32_t incarnation) {
    Frame frame(kHeaderBytes);
    append(frame, prefix);
    Prefix again;
    if (const Verdict v = decode(body_of(frame), again); !v.ok()) {
        throw InvalidArgument(std::string(name_of(kind)) + ": a field is out of range (body offset " +
                              std::to_string(v.at) + ")");
    }
    std::uint32_t count = 0;
    for (const SolverBlock& block : blocks) {
        put_block(frame, block);
        count += static_cast<std::uint32_t>(block.values.size());
    }
    seal(frame, Header{.kind = kind, .count = count, .incarnation = incarnation});
    return frame;
}

SolverBlock to_arrays(const BlockView& view) {
    SolverBlock block{
        .attribute = view.attribute, .type = view.type, .dense = view.rows == nullptr, .rows = {}, .values = {}};
    for (std::size_t i = 0; view.rows != nullptr && i < view.n; ++i)
        block.rows.push_back(load<std::uint32_t>(view.rows + 4 * i));
    block.values = values_of(view);
    return block;
}

}  // namespace

std::vector<double> values_of(const BlockView& block) {
    std::vector<double> out(block.n);
    with_type(block.type, [&]<typename T>(T) {
        for (std::size_t i = 0; i < block.n; ++i) out[i] = value_at<T>(block.values, i);
    });
    return out;
}

Frame encode(const SolvePrefix& prefix, std::span<const SolverBlock> blocks, std::uint32_t incarnation) {
    return encode_solver(Kind::solve, prefix, blocks, incarnation);
}

Frame encode(const SolvedPrefix& prefix, std::span<const SolverBlock> blocks, std::uint32_t incarnation) {
    return encode_solver(Kind::solved, prefix, blocks, incarnation);
}

Verdict decode_solver_blocks(const Header& header, Bytes blocks, std::vector<SolverBlock>& out) {
    out.clear();
    std::uint64_t count = 0;
    BlockView view;
    for (Bytes rest = blocks; !rest.empty(); rest = rest.subspan(view.size)) {
        const auto at = static_cast<std::size_t>(rest.data() - blocks.data());
        if (const Verdict v = parse_block(rest, true, view); !v.ok()) return {v.reason, at + v.at};
        if (const Reason reason = check_values(view, widest(view.type)); reason != Reason::ok) {
            return {reason, at + static_cast<std::size_t>(view.values - rest.data())};
        }
        out.push_back(to_arrays(view));
        count += view.n;
    }
    if (count != header.count) return {Reason::block_count, 0};
    return {};
}

}  // namespace tiertwin::sync
