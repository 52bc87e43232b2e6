// A situation as a sparse list of changes, and the dense state they leave: what is left of every part of a domain.
//
// Changes apply in the order given. Factors on one part, and additions to one part, commute; a factor and an addition
// to the same part do not, nor does moving demand there and back.
//
// Thread safety  pure functions; a State belongs to one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "whatif/belief.hpp"

namespace tiertwin::whatif {

enum class Change : std::int64_t {
    link_share = 0,    // part: link; value: share of its capacity that works from now on, 0 .. 1
    link_times = 1,    // part: link; its capacity times value
    link_add = 2,      // part: link; its capacity and value, Mb/s
    server_times = 3,  // part: server; its speed times value
    server_add = 4,    // part: server; its speed and value, GHz
    node_down = 5,     // part: node; its links, servers and cells are gone
    radio_times = 6,   // part: site; its cells times value
    control_add = 7,   // part: site; value more Mb/s of control traffic on its route
    demand_times = 8,  // part: site; its task rates times value
    move = 9,          // part: site, other: site; share `value` of the first one's users and tasks is at the other
    move_group = 10,   // part, other: site * G + group; share `value` of one group is in the other
};
inline constexpr std::int64_t kChanges = 11;

// Situation s has the changes start[s] .. start[s + 1] - 1.
struct Situations {
    std::span<const index_t> start, change, part, other;
    std::span<const double> value;
    [[nodiscard]] std::size_t size() const { return start.size() - 1; }
};

// Throws InvalidArgument naming the first change whose kind, part or value is out of range.
void require_situations(const Situations& situations, const Belief& belief);

struct State {
    explicit State(const Belief& belief);
    void reset(const Belief& belief);
    // Requires checked situations.
    void apply(const Belief& belief, const Situations& situations, std::size_t which);

    std::vector<double> link_share, link_mbps;  // [m]
    std::vector<double> server_ghz;             // [S + F + 1]
    std::vector<double> radio, control_mbps;    // [S] share of the cells; Mb/s
    std::vector<double> demand, users;          // [D, G]
    std::vector<std::uint8_t> node_down;        // [n]
    std::vector<index_t> home_of;               // [S] place in the domain, -1: not of it

  private:
    void one(const Belief& belief, Change change, std::size_t part, std::size_t other, double value);
    void move(const Belief& belief, std::size_t from, std::size_t to, double share);
    void take_nodes_down(const Belief& belief);
};

}  // namespace tiertwin::whatif
