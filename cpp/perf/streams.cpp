#include "perf/streams.hpp"

#include <limits>
#include <unordered_map>

#include "base/error.hpp"

namespace tiertwin::perf {
namespace {

// Numbers the hops' histories of one length, in order of first appearance.
Streams::Level level(const Streams& s, const std::vector<std::int32_t>& parent_of_hop, std::size_t back) {
    Streams::Level out;
    out.of_hop.assign(s.hops(), Streams::kNone);
    std::unordered_map<std::uint64_t, std::int32_t> known;
    for (std::size_t f = 0; f < s.flows; ++f) {
        for (std::size_t h = s.hop_ptr[f] + back; h < s.hop_ptr[f + 1]; ++h) {
            const std::int32_t parent = parent_of_hop[h], from = s.link_of_hop[h - back];
            const std::uint64_t key = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(parent)) << 32) |
                                      static_cast<std::uint32_t>(from);
            const auto [place, fresh] = known.try_emplace(key, static_cast<std::int32_t>(out.size()));
            if (fresh) {
                out.parent.push_back(parent);
                out.from.push_back(from);
            }
            out.of_hop[h] = place->second;
        }
    }
    return out;
}

}  // namespace

Streams::Streams(const Paths& paths) {
    paths.validate();
    if (paths.path_links.size() > std::numeric_limits<std::int32_t>::max() ||
        paths.links > std::numeric_limits<std::int32_t>::max())
        throw InvalidArgument("path_links: expected at most 2^31 - 1 hops and links");
    links = static_cast<std::size_t>(paths.links);
    flows = paths.flows();
    hop_ptr.assign(paths.path_ptr.begin(), paths.path_ptr.end());
    link_of_hop.assign(paths.path_links.begin(), paths.path_links.end());
    for (std::size_t f = 0; f < flows; ++f)
        flow_of_hop.insert(flow_of_hop.end(), hop_ptr[f + 1] - hop_ptr[f], static_cast<std::int32_t>(f));
    stream = level(*this, link_of_hop, 1);
    strand = level(*this, stream.of_hop, 2);
    thread = level(*this, strand.of_hop, 3);
    link_ptr.assign(links + 1, 0);
    for (const std::int32_t l : link_of_hop) ++link_ptr[static_cast<std::size_t>(l) + 1];
    for (std::size_t l = 0; l < links; ++l) link_ptr[l + 1] += link_ptr[l];
    hop_at.resize(hops());
    std::vector<std::size_t> next(link_ptr.begin(), link_ptr.end() - 1);
    for (std::size_t h = 0; h < hops(); ++h) hop_at[next[static_cast<std::size_t>(link_of_hop[h])]++] = h;
}

}  // namespace tiertwin::perf
