// T5: the codec alone, at the speed of the codec: any frames, one by one, through header, body and blocks. No crash, no
// sanitizer report, and what a decoder takes is what the encoder writes: the same bytes again (P11, section 4: unused
// bytes are zero, so a body has one form).
//
//   one input   as of frame_input.hpp; the corpus is that of frame_fuzz.cpp
//
// No session and no table stand behind it (frame_fuzz.cpp has them), which makes it two orders of magnitude faster.
// How to run it: log_fuzz.cpp.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "frame_input.hpp"
#include "sync/codec.hpp"
#include "sync/kinds.hpp"

using namespace tiertwin;
using namespace tiertwin::sync;

namespace {

void hold_same(const Header& header, Bytes frame, Frame again) {
    Header found;
    hold(decode_header(again, found).ok());
    hold(found.kind == header.kind && found.incarnation == header.incarnation);
    hold(std::ranges::equal(body_of(again), body_of(frame)));
}

template <typename Body>
void fixed(const Header& header, Bytes frame) {
    Body body;
    if (decode(body_of(frame), body).ok()) hold_same(header, frame, encode(body, header.incarnation));
}

template <typename Prefix>
void solver(const Header& header, Bytes frame, std::size_t prefix_bytes) {
    Prefix prefix;
    std::vector<SolverBlock> blocks;
    if (!decode(body_of(frame), prefix).ok()) return;
    if (!decode_solver_blocks(header, body_of(frame).subspan(prefix_bytes), blocks).ok()) return;
    std::size_t values = 0;
    for (const SolverBlock& block : blocks) {
        hold(std::ranges::all_of(block.values, [](double value) { return std::isfinite(value); }));
        hold(block.dense ? block.rows.empty() : block.rows.size() == block.values.size());
        values += block.values.size();
    }
    hold(values == header.count);
}

// Blocks of a DELTA or SNAPSHOT as far as they are well formed: each has what it says, inside the frame.
void blocks(Bytes rest) {
    BlockView block;
    while (!rest.empty() && parse_block(rest, false, block).ok()) {
        hold(block.n >= 1 && block.size >= kBlockHeaderBytes && block.size <= rest.size() && block.size % 8 == 0);
        if (block.type != ValueType::bytes) hold(values_of(block).size() == block.n);
        rest = rest.subspan(block.size);
    }
}

void records(const Header& header, Bytes frame) {
    Bytes body = body_of(frame);
    if (header.kind == Kind::snapshot) {
        SnapshotPrefix prefix;
        if (!decode(body, prefix).ok()) return;
        hold(prefix.chunk < prefix.chunks);
        body = body.subspan(kSnapshotPrefixBytes);
    }
    if (header.table == kBudget) {
        Lease lease;
        if (!decode(body, lease).ok()) return;
        hold(term_of(lease.epoch) <= kMaxTerm);
        body = body.subspan(kLeaseBytes);
    }
    blocks(body);
}

void one(Bytes frame) {
    Header header;
    if (!decode_header(frame, header).ok()) return;
    switch (header.kind) {
        case Kind::hello:
            return fixed<Hello>(header, frame);
        case Kind::welcome:
            return fixed<Welcome>(header, frame);
        case Kind::ack:
            return fixed<Ack>(header, frame);
        case Kind::resync:
            return fixed<Resync>(header, frame);
        case Kind::heartbeat:
            return fixed<Heartbeat>(header, frame);
        case Kind::bye:
            return fixed<Bye>(header, frame);
        case Kind::barrier:
            return fixed<Barrier>(header, frame);
        case Kind::solve:
            return solver<SolvePrefix>(header, frame, kSolvePrefixBytes);
        case Kind::solved:
            return solver<SolvedPrefix>(header, frame, kSolvedPrefixBytes);
        case Kind::delta:
        case Kind::snapshot:
            return records(header, frame);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    each_frame(Bytes(data, size), one);
    return 0;
}
