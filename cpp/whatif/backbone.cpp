#include "whatif/backbone.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/index.hpp"
#include "graph/ecmp.hpp"
#include "graph/paths.hpp"

namespace tiertwin::whatif {
namespace {

constexpr double kShortestKm = 1e-3;  // a link of length 0 would tie with itself

// The directed links of `which` (all: every one), weighted by km.
std::shared_ptr<const Graph> graph_of(const Belief& b, const std::vector<index_t>& which) {
    std::vector<index_t> tail, head;
    std::vector<double> km;
    for (const index_t d : which) {
        const std::size_t l = at(d / 2);
        tail.push_back(d % 2 == 0 ? b.link_tail[l] : b.link_head[l]);
        head.push_back(d % 2 == 0 ? b.link_head[l] : b.link_tail[l]);
        km.push_back(std::max(b.link_km[l], kShortestKm));
    }
    return std::make_shared<const Graph>(b.nodes, tail, head, km);
}

void mark(const std::vector<index_t>& route, std::vector<std::uint8_t>& crossed) {
    for (const index_t d : route) crossed[at(d / 2)] = 1;
}

}  // namespace

Backbone::Search::Search(const Backbone& b)
    : distance(at(b.belief_.nodes)), load(2 * b.belief_.links()), claimed(load.size()), via(distance.size()) {}

Backbone::Backbone(const Belief& belief) : belief_(belief) {
    const std::size_t m = belief.links();
    std::vector<index_t> every(2 * m);
    std::iota(every.begin(), every.end(), 0);
    graph_ = graph_of(belief, every);
    for (std::size_t f = 0; f < belief.fogs(); ++f) {
        Domain domain;
        for (const index_t d : every) {
            const auto fog = static_cast<index_t>(f);
            const std::size_t l = at(d / 2);
            if (belief.node_fog[at(belief.link_tail[l])] == fog && belief.node_fog[at(belief.link_head[l])] == fog)
                domain.link.push_back(d);
        }
        domain.graph = graph_of(belief, domain.link);
        for (std::size_t s = 0; s < belief.sites(); ++s)
            if (at(belief.site_fog[s]) == f) domain.sites.push_back(s);
        domains_.push_back(std::move(domain));
    }
    std::vector<std::vector<std::size_t>> by_target(at(belief.nodes));
    for (std::size_t k = 0; k < belief.demand_mbps.size(); ++k) by_target[at(belief.demand_head[k])].push_back(k);
    for (index_t node = 0; node < belief.nodes; ++node)
        if (!by_target[at(node)].empty()) targets_.push_back({node, std::move(by_target[at(node)]), {}, 0.0});
    State state(belief);
    Search search(*this);
    believed_.route.resize(belief.sites() + belief.fogs());
    believed_.reaches.assign(believed_.route.size(), 0);
    for (std::size_t f = 0; f < belief.fogs(); ++f) {
        route_sites(f, state, search, believed_);
        domains_[f].crossed.assign(m, 0);
        for (const std::size_t s : domains_[f].sites) mark(believed_.route[s], domains_[f].crossed);
    }
    route_fogs(state, search, believed_);
    fogs_cross_.assign(m, 0);
    for (std::size_t f = 0; f < belief.fogs(); ++f) mark(believed_.route[belief.sites() + f], fogs_cross_);
    believed_.background_lost_mbps = 0;
    const Overlay overlay = overlay_of(state);
    for (Target& target : targets_) {
        target.lost = load_of(target, overlay, search);
        target.load = search.load;
        believed_.background_lost_mbps += target.lost;
    }
    believed_.background_mbps = belief.background_mbps;
    share(state, search, believed_);
}

Overlay Backbone::overlay_of(const State& state) const {
    Overlay overlay(graph_);
    for (std::size_t l = 0; l < belief_.links(); ++l)
        if (!has(state, l))
            for (const std::size_t d : {2 * l, 2 * l + 1}) overlay.fail_link(LinkId{static_cast<index_t>(d)});
    return overlay;
}

void Backbone::back(const std::vector<index_t>& via, const std::vector<index_t>* link, index_t node,
                    std::vector<index_t>& route) const {
    route.clear();
    while (via[at(node)] >= 0) {
        const index_t found = via[at(node)];
        const index_t down = link == nullptr ? found : (*link)[at(found)];
        route.push_back(down ^ 1);
        node = down % 2 == 0 ? belief_.link_tail[at(down / 2)] : belief_.link_head[at(down / 2)];
    }
}

void Backbone::route_sites(std::size_t fog, const State& state, Search& search, Ways& out) const {
    const Domain& domain = domains_[fog];
    const NodeId gateway{belief_.fog_node[fog]};
    Overlay overlay(domain.graph);
    for (std::size_t i = 0; i < domain.link.size(); ++i)
        if (!has(state, at(domain.link[i] / 2))) overlay.fail_link(LinkId{static_cast<index_t>(i)});
    shortest_paths(*domain.graph, &overlay, gateway, search.distance, search.via);
    bool missed = false;
    for (const std::size_t s : domain.sites) {
        const index_t node = belief_.site_node[s];
        const bool found = std::isfinite(search.distance[at(node)]);
        back(search.via, &domain.link, node, out.route[s]);
        out.reaches[s] = found && !state.node_down[at(node)] && !state.node_down[at(gateway.value)];
        missed |= !found;
    }
    if (!missed) return;
    std::vector<double> inside = search.distance;
    const Overlay anywhere = overlay_of(state);
    shortest_paths(*graph_, &anywhere, gateway, search.distance, search.via);
    for (const std::size_t s : domain.sites) {
        const index_t node = belief_.site_node[s];
        if (std::isfinite(inside[at(node)])) continue;
        back(search.via, nullptr, node, out.route[s]);
        out.reaches[s] = std::isfinite(search.distance[at(node)]) && !state.node_down[at(node)] &&
                         !state.node_down[at(gateway.value)];
    }
}

void Backbone::route_fogs(const State& state, Search& search, Ways& out) const {
    const Overlay overlay = overlay_of(state);
    shortest_paths(*graph_, &overlay, NodeId{belief_.cloud_node}, search.distance, search.via);
    for (std::size_t f = 0; f < belief_.fogs(); ++f) {
        const index_t node = belief_.fog_node[f];
        back(search.via, nullptr, node, out.route[belief_.sites() + f]);
        out.reaches[belief_.sites() + f] = std::isfinite(search.distance[at(node)]) && !state.node_down[at(node)] &&
                                           !state.node_down[at(belief_.cloud_node)];
    }
}

// Sets search.load; returns what has no way.
double Backbone::load_of(const Target& target, const Overlay& overlay, Search& search) const {
    search.source.clear();
    search.target.clear();
    search.volume.clear();
    for (const std::size_t k : target.demands) {
        search.source.push_back(belief_.demand_tail[k]);
        search.target.push_back(target.node);
        search.volume.push_back(belief_.demand_mbps[k]);
    }
    search.lost.resize(search.volume.size());
    ecmp_loads(*graph_, &overlay, {search.source, search.target, search.volume}, {}, search.load, search.lost);
    return std::accumulate(search.lost.begin(), search.lost.end(), 0.0);
}

void Backbone::route_background(const State& state, bool all, Search& search, Ways& out) const {
    const std::size_t m = belief_.links();
    std::vector<double> moved(2 * m, 0.0);
    const Overlay overlay = overlay_of(state);
    out.background_lost_mbps = 0;
    for (const Target& target : targets_) {
        bool touched = all;
        for (std::size_t l = 0; l < m && !touched; ++l)
            touched = !has(state, l) && (target.load[2 * l] > 0 || target.load[2 * l + 1] > 0);
        if (!touched) {
            out.background_lost_mbps += target.lost;
            continue;
        }
        out.background_lost_mbps += load_of(target, overlay, search);
        for (std::size_t d = 0; d < 2 * m; ++d) moved[d] += search.load[d] - target.load[d];
    }
    for (std::size_t d = 0; d < 2 * m; ++d)
        out.background_mbps[d] = has(state, d / 2) ? std::max(belief_.background_mbps[d] + moved[d], 0.0) : 0.0;
}

void Backbone::share(const State& state, Search& search, Ways& out) const {
    const std::size_t m = belief_.links(), sites = belief_.sites();
    out.capacity_mbps.resize(2 * m);
    for (std::size_t d = 0; d < 2 * m; ++d) out.capacity_mbps[d] = state.link_mbps[d / 2] * state.link_share[d / 2];
    for (std::size_t s = 0; s < sites; ++s)
        if (state.control_mbps[s] > 0)
            for (const index_t d : out.route[s]) out.background_mbps[at(d)] += state.control_mbps[s];
    const auto weight = [&](std::size_t r) {
        return r < sites ? belief_.site_weight[r] : belief_.fog_weight[r - sites];
    };
    std::ranges::fill(search.claimed, 0.0);
    for (std::size_t r = 0; r < out.route.size(); ++r)
        for (const index_t d : out.route[r]) search.claimed[at(d)] += weight(r);
    out.share_mbps.resize(out.route.size());
    for (std::size_t r = 0; r < out.route.size(); ++r) {
        double least = out.reaches[r] ? belief_.lan_mbps : 0.0;
        if (out.reaches[r] && !out.route[r].empty()) least = std::numeric_limits<double>::infinity();
        if (out.reaches[r])
            for (const index_t d : out.route[r]) {
                const double free =
                    std::max((1.0 - kHeadroom) * out.capacity_mbps[at(d)] - out.background_mbps[at(d)], 0.0);
                least = std::min(least, search.claimed[at(d)] > 0 ? free * weight(r) / search.claimed[at(d)] : 0.0);
            }
        out.share_mbps[r] = least;
    }
}

void Backbone::ways(const State& state, Search& search, Ways& out) const {
    bool went = false, came = false, nodes = false;
    for (std::size_t l = 0; l < belief_.links(); ++l) {
        const bool now = has(state, l), before = belief_.link_share[l] > 0;
        went |= before && !now;
        came |= now && !before;
    }
    for (const std::uint8_t down : state.node_down) nodes |= down != 0;
    out.route = believed_.route;
    out.reaches = believed_.reaches;
    out.background_mbps = believed_.background_mbps;
    out.background_lost_mbps = believed_.background_lost_mbps;
    const auto touched = [&](const std::vector<std::uint8_t>& crossed) {
        if (came || nodes) return true;
        for (std::size_t l = 0; went && l < crossed.size(); ++l)
            if (crossed[l] && !has(state, l)) return true;
        return false;
    };
    for (std::size_t f = 0; f < belief_.fogs(); ++f)
        if (touched(domains_[f].crossed)) route_sites(f, state, search, out);
    if (touched(fogs_cross_)) route_fogs(state, search, out);
    if (went || came) route_background(state, came, search, out);
    share(state, search, out);
}

}  // namespace tiertwin::whatif
