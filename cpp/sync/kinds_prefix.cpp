// What stands before the blocks of SNAPSHOT, SOLVE, SOLVED and of table `budget`.
#include "sync/codec_bytes.hpp"
#include "sync/kinds.hpp"

namespace tiertwin::sync {
namespace {

constexpr std::uint32_t kLastSolverStep = 8;  // S8

bool form_fits(std::uint16_t form) { return form == 1 || form == 2; }

}  // namespace

Verdict decode(Bytes body, SnapshotPrefix& out) {
    if (body.size() < kSnapshotPrefixBytes) return {Reason::body_length, 0};
    const std::uint8_t* at = body.data();
    out = {load<std::uint32_t>(at), load<std::uint32_t>(at + 4), load<std::uint64_t>(at + 8)};
    if (out.chunk >= out.chunks) return {Reason::chunk, 0};
    return {};
}

void append(Frame& frame, const SnapshotPrefix& p) {
    put(frame, p.chunk);
    put(frame, p.chunks);
    put(frame, p.digest);
}

Verdict decode(Bytes body, SolvePrefix& out) {
    if (body.size() < kSolvePrefixBytes) return {Reason::body_length, 0};
    const std::uint8_t* at = body.data();
    out.request = load<std::uint64_t>(at);
    out.deadline_ms = load<std::uint32_t>(at + 8);
    out.problem = load<std::uint16_t>(at + 12);
    out.form = load<std::uint16_t>(at + 14);
    for (std::size_t i = 0; i < 4; ++i) out.sizes[i] = load<std::uint32_t>(at + 16 + 4 * i);
    if (!form_fits(out.form)) return {Reason::body_value, 14};
    return {};
}

void append(Frame& frame, const SolvePrefix& p) {
    put(frame, p.request);
    put(frame, p.deadline_ms);
    put(frame, p.problem);
    put(frame, p.form);
    for (const std::uint32_t size : p.sizes) put(frame, size);
}

Verdict decode(Bytes body, SolvedPrefix& out) {
    if (body.size() < kSolvedPrefixBytes) return {Reason::body_length, 0};
    const std::uint8_t* at = body.data();
    out = {load<std::uint64_t>(at), load<std::uint16_t>(at + 8), load<std::uint16_t>(at + 10),
           load<std::uint32_t>(at + 12)};
    if (out.status < 1 || out.status > 6) return {Reason::body_value, 8};
    if (!form_fits(out.form)) return {Reason::body_value, 10};
    return {};
}

void append(Frame& frame, const SolvedPrefix& p) {
    put(frame, p.request);
    put(frame, p.status);
    put(frame, p.form);
    put(frame, p.solve_us);
}

Verdict decode(Bytes body, Lease& out) {
    if (body.size() < kLeaseBytes) return {Reason::body_length, 0};
    const std::uint8_t* at = body.data();
    out = {load<std::uint64_t>(at),      load<std::uint64_t>(at + 8),  load<std::uint32_t>(at + 16),
           load<std::uint32_t>(at + 20), load<std::uint32_t>(at + 24), load<std::uint32_t>(at + 28)};
    if (out.epoch >> 32U > kMaxTerm) return {Reason::term, 0};
    if (out.flags > kLastSolverStep) return {Reason::lease, 28};
    return {};
}

void append(Frame& frame, const Lease& p) {
    put(frame, p.epoch);
    put(frame, p.basis_version);
    for (const std::uint32_t field : {p.validity_ms, p.age_ms, p.echo, p.flags}) put(frame, field);
}

}  // namespace tiertwin::sync
