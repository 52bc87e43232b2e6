// Which packets came to a link together: streams over the same link before, over the same two, over the same three.
//
//   path  … c ─► b ─► a ─► j      at link j the flow belongs to   stream (j, a)
//                                                                 strand (j, a, b), a part of the stream
//                                                                 thread (j, a, b, c), a part of the strand
//
// Packets of one stream were kept apart by the link before; the longer two packets went together, the more. Longer
// common histories than three links count as three.
//
// Thread safety  immutable once built.   Costs: a hash look-up a hop and level; about 60 bytes a hop.
#pragma once

#include <cstdint>
#include <vector>

#include "perf/config.hpp"

namespace tiertwin::perf {

struct Streams {
    static constexpr std::int32_t kNone = -1;
    // A level of the tree: `parent` is the link (of a stream), stream (of a strand) or strand (of a thread), `from` the
    // link one further back.
    struct Level {
        std::vector<std::int32_t> parent, from;
        std::vector<std::int32_t> of_hop;  // kNone where the path does not go that far back
        [[nodiscard]] std::size_t size() const { return parent.size(); }
    };

    explicit Streams(const Paths& paths);

    std::size_t links = 0, flows = 0;
    std::vector<std::int32_t> link_of_hop, flow_of_hop;
    std::vector<std::size_t> hop_ptr;  // hops of flow f: hop_ptr[f] .. hop_ptr[f+1]
    Level stream, strand, thread;
    std::vector<std::size_t> link_ptr;  // hops over link l: hop_at[link_ptr[l] : link_ptr[l+1]], in order of flows
    std::vector<std::size_t> hop_at;

    [[nodiscard]] std::size_t hops() const { return link_of_hop.size(); }
};

}  // namespace tiertwin::perf
