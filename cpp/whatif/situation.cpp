#include "whatif/situation.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "base/index.hpp"

namespace tiertwin::whatif {
namespace {

std::size_t parts_of(const Belief& b, Change change) {
    switch (change) {
        case Change::link_share:
        case Change::link_times:
        case Change::link_add:
            return b.links();
        case Change::server_times:
        case Change::server_add:
            return b.server_ghz.size();
        case Change::node_down:
            return at(b.nodes);
        case Change::move_group:
            return b.sites() * b.groups();
        default:
            return b.sites();
    }
}

bool is_move(Change change) { return change == Change::move || change == Change::move_group; }

bool is_share(Change change) { return change == Change::link_share || is_move(change); }

}  // namespace

void require_situations(const Situations& s, const Belief& belief) {
    const auto count = static_cast<index_t>(s.change.size());
    if (s.part.size() != s.change.size() || s.other.size() != s.change.size() || s.value.size() != s.change.size())
        throw InvalidArgument("expected as many parts, others and values as the " + std::to_string(count) + " changes");
    if (s.start.empty() || s.start.front() != 0 || s.start.back() != count || !std::ranges::is_sorted(s.start))
        throw InvalidArgument("expected `start` to count up from 0 to the " + std::to_string(count) +
                              " changes, one entry more than situations");
    for (std::size_t i = 0; i < s.change.size(); ++i) {
        const std::string name = "change " + std::to_string(i);
        if (s.change[i] < 0 || s.change[i] >= kChanges)
            throw InvalidArgument(name + ": expected a kind of 0 .. " + std::to_string(kChanges - 1) + ", got " +
                                  std::to_string(s.change[i]));
        const auto change = static_cast<Change>(s.change[i]);
        const auto parts = static_cast<index_t>(parts_of(belief, change));
        for (const index_t part : {s.part[i], is_move(change) ? s.other[i] : s.part[i]})
            if (part < 0 || part >= parts)
                throw InvalidArgument(name + ": expected a part of 0 .. " + std::to_string(parts - 1) + ", got " +
                                      std::to_string(part));
        if (!(s.value[i] >= 0 && std::isfinite(s.value[i])) || (is_share(change) && s.value[i] > 1))
            throw InvalidArgument(name + ": expected " + (is_share(change) ? "a share of 0 .. 1" : "a number >= 0") +
                                  ", got " + std::to_string(s.value[i]));
    }
}

State::State(const Belief& belief) : home_of(belief.sites(), -1) {
    for (std::size_t d = 0; d < belief.homes(); ++d) home_of[at(belief.home[d])] = static_cast<index_t>(d);
    reset(belief);
}

void State::reset(const Belief& belief) {
    link_share = belief.link_share;
    link_mbps = belief.link_mbps;
    server_ghz = belief.server_ghz;
    radio.assign(belief.sites(), 1.0);
    control_mbps.assign(belief.sites(), 0.0);
    demand = belief.demand;
    users = belief.users;
    node_down.assign(at(belief.nodes), 0);
}

void State::apply(const Belief& belief, const Situations& s, std::size_t which) {
    bool nodes = false;
    for (auto i = at(s.start[which]); i < at(s.start[which + 1]); ++i) {
        const auto change = static_cast<Change>(s.change[i]);
        nodes |= change == Change::node_down;
        one(belief, change, at(s.part[i]), at(s.other[i]), s.value[i]);
    }
    if (nodes) take_nodes_down(belief);
}

void State::one(const Belief& belief, Change change, std::size_t part, std::size_t other, double value) {
    const std::size_t groups = belief.groups();
    switch (change) {
        case Change::link_share:
            link_share[part] = value;
            break;
        case Change::link_times:
            link_mbps[part] *= value;
            break;
        case Change::link_add:
            link_mbps[part] += value;
            break;
        case Change::server_times:
            server_ghz[part] *= value;
            break;
        case Change::server_add:
            server_ghz[part] += value;
            break;
        case Change::node_down:
            node_down[part] = 1;
            break;
        case Change::radio_times:
            radio[part] *= value;
            break;
        case Change::control_add:
            control_mbps[part] += value;
            break;
        case Change::demand_times:
            if (home_of[part] >= 0)
                for (std::size_t g = 0; g < groups; ++g) demand[at(home_of[part]) * groups + g] *= value;
            break;
        case Change::move:
            for (std::size_t g = 0; g < groups; ++g) move(belief, part * groups + g, other * groups + g, value);
            break;
        case Change::move_group:
            move(belief, part, other, value);
            break;
    }
}

// Of one group to another. What leaves the domain is gone from it, and what comes from outside is not known here.
void State::move(const Belief& belief, std::size_t from, std::size_t to, double share) {
    const std::size_t groups = belief.groups();
    const index_t home = home_of[from / groups], target = home_of[to / groups];
    if (home < 0) return;
    const std::size_t here = at(home) * groups + from % groups;
    const double tasks = share * demand[here], people = share * users[here];
    demand[here] -= tasks;
    users[here] -= people;
    if (target < 0) return;
    const std::size_t there = at(target) * groups + to % groups;
    demand[there] += tasks;
    users[there] += people;
}

void State::take_nodes_down(const Belief& b) {
    const auto down = [this](index_t node) { return node_down[at(node)] != 0; };
    for (std::size_t l = 0; l < link_share.size(); ++l)
        if (down(b.link_tail[l]) || down(b.link_head[l])) link_share[l] = 0.0;
    for (std::size_t s = 0; s < b.sites(); ++s)
        if (down(b.site_node[s])) server_ghz[s] = radio[s] = 0.0;
    for (std::size_t f = 0; f < b.fogs(); ++f)
        if (down(b.fog_node[f])) server_ghz[b.sites() + f] = 0.0;
    if (down(b.cloud_node)) server_ghz[b.cloud_server()] = 0.0;
}

}  // namespace tiertwin::whatif
