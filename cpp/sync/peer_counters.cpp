// Everything a peer counts, by name (nothing is dropped without a counter, R13).
#include "sync/peer.hpp"

namespace tiertwin::sync {

std::map<std::string, std::uint64_t> Peer::counters() const {
    const OutboxCounters& sent = outbox_.counters();
    std::map<std::string, std::uint64_t> all{{"bytes_in", bytes_in_},
                                             {"bytes_out", bytes_out_},
                                             {"duplicates", duplicates_},
                                             {"swaps", swaps_},
                                             {"alarms.digest", digest_alarms_},
                                             {"alarms.snapshot", snapshot_alarms_},
                                             {"alarms.schema", schema_alarms_},
                                             {"stale_leases", stale_leases_},
                                             {"bans", session_.bans},
                                             {"fresh_frames", sent.fresh_frames},
                                             {"fresh_bytes", sent.fresh_bytes},
                                             {"again_frames", sent.again_frames},
                                             {"again_bytes", sent.again_bytes},
                                             {"units", sent.units},
                                             {"units_replaced", sent.units_replaced},
                                             {"units_dropped", sent.units_dropped},
                                             {"snapshots", sent.snapshots},
                                             {"chunks", sent.chunks}};
    for (const auto& [reason, count] : refused_) all["refused." + std::string(name_of(reason))] = count;
    for (std::size_t kind = 1; kind < frames_in_.size(); ++kind) {
        if (!is_kind(static_cast<std::uint8_t>(kind))) continue;
        const std::string name(name_of(static_cast<Kind>(kind)));
        if (frames_in_[kind] != 0) all["in." + name] = frames_in_[kind];
        if (frames_out_[kind] != 0) all["out." + name] = frames_out_[kind];
    }
    for (std::size_t state = 0; state < kStates; ++state) {
        for (std::size_t input = 0; input < kInputs; ++input) {
            const std::uint64_t count = session_.unlisted[state][input];
            if (count != 0) all["unlisted." + std::to_string(state) + "." + std::to_string(input)] = count;
        }
    }
    return all;
}

}  // namespace tiertwin::sync
