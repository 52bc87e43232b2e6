// T5: what comes after decryption: any frames, in any order, to a node's end of a session. No crash, no sanitizer
// report, nothing thrown (faults of a peer never throw), and of what is refused nothing takes effect (P11, R36).
//
//   one input   as of frame_input.hpp; byte 0: bit 0 frames go to the child, else to the parent; bit 2 the two have a
//               session already
//   accepted    values of tables within their attribute's limits; replies are frames, few and none too long; a unit is
//               finite; a term never falls
//
// Every frame also goes through the decoders of solver requests and answers, which a session has no row for.
// How to run it: log_fuzz.cpp.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "../cpp/peer_pair.hpp"
#include "frame_input.hpp"
#include "sync/codec.hpp"

using namespace tiertwin;
using namespace tiertwin::sync;

namespace {

constexpr std::size_t kReplies = 400;  // to one frame: at most what waits, and what a snapshot has

void hold_finite(const std::vector<double>& values) {
    hold(std::ranges::all_of(values, [](double value) { return std::isfinite(value); }));
}

void check_table(const StateTable& table) {
    for (index_t row = 0; row < table.rows(); ++row) {
        const double value = table.value(kLoad, row);
        hold(std::isnan(value) || (value >= -1e9 && value <= 1e9));
    }
}

void check(const Received& found) {
    if (!found.accepted) hold(found.count == 0 && found.units.empty() && !found.grant);
    hold(found.reply.size() <= kReplies);
    Header header;
    for (const Frame& frame : found.reply) hold(frame.size() <= kMaxFrameBytes && decode_header(frame, header).ok());
    for (const Unit& unit : found.units) {
        for (const UnitColumn& column : unit.columns) hold_finite(column.values);
    }
}

void decode_for_a_solver(Bytes frame) {
    Header header;
    if (!decode_header(frame, header).ok()) return;
    std::vector<SolverBlock> blocks;
    SolvePrefix request;
    SolvedPrefix answer;
    const Bytes body = body_of(frame);
    if (header.kind == Kind::solve && decode(body, request).ok()) {
        (void)decode_solver_blocks(header, body.subspan(32), blocks);
    } else if (header.kind == Kind::solved && decode(body, answer).ok()) {
        (void)decode_solver_blocks(header, body.subspan(16), blocks);
    }
    for (const SolverBlock& block : blocks) hold_finite(block.values);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    Pair pair;
    if ((data[0] & 4U) != 0) pair.attach();
    const bool to_child = (data[0] & 1U) != 0;
    const Peer& peer = to_child ? pair.child : pair.parent;
    each_frame(Bytes(data, size), [&](const Frame& frame) {
        decode_for_a_solver(frame);
        const std::uint32_t term = peer.term();
        check(pair.deliver(to_child, frame));
        hold(peer.term() >= term);
        pair.now += 20 * kMs;
        const Received ticked = (to_child ? pair.child : pair.parent).tick(pair.now);
        for (const Frame& reply : ticked.reply) hold(reply.size() <= kMaxFrameBytes);
    });
    check_table(to_child ? pair.down_copy : pair.up_copy);
    return 0;
}
