// Routes, background and uplinks of a core network in any state of its links.
//
//   routes       site -> its fog, fog -> cloud: shortest by km, inside the domain where a way is left there, else
//                anywhere; ties to the lowest link (as tiertwin.world.routes)
//   background   b_l = max(measured_l + e_l(now) - e_l(believed), 0), e the demand matrix over all ways of fewest hops,
//                split evenly at every node (graph/ecmp.hpp), and control traffic of sites along their routes
//   share        s_r = min over links of route r of max(0.98 C_l - b_l, 0) w_r / sum of w over routes across l; that of
//                a site at its fog is the LAN's, without a way it is 0                    (as tiertwin.world.shares)
//
// Only what a change touches is searched again: trees whose routes it crosses, targets whose traffic it carries. The
// answer is that of searching all again (ways that vanish were not taken), to the bit where nothing changed.
//
// Thread safety  immutable once built; a Search belongs to one thread.
// Costs          50 nodes, 88 links, 2 450 demands: about 0.1 ms when one link fails.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "graph/overlay.hpp"
#include "whatif/situation.hpp"

namespace tiertwin::whatif {

inline constexpr double kHeadroom = 0.02;  // of capacity, kept free: background moves

// What a state of the links means. Routes: sites, then fogs, as directed links in travel order.
struct Ways {
    std::vector<std::vector<index_t>> route;  // [S + F]
    std::vector<std::uint8_t> reaches;        // [S + F] some way (of no link at the fog itself) is left
    std::vector<double> capacity_mbps;        // [2m] 0: down
    std::vector<double> background_mbps;      // [2m]
    std::vector<double> share_mbps;           // [S + F]
    double background_lost_mbps = 0;
};

class Backbone {
  public:
    explicit Backbone(const Belief& belief);  // which must outlive it

    struct Search {
        explicit Search(const Backbone& backbone);
        std::vector<double> distance, load, lost, claimed;
        std::vector<index_t> via, source, target;
        std::vector<double> volume;
    };
    void ways(const State& state, Search& search, Ways& out) const;
    [[nodiscard]] const Ways& believed() const { return believed_; }

  private:
    struct Domain {  // of one fog: the links inside it, numbered as in the network by `link`
        std::shared_ptr<const Graph> graph;
        std::vector<index_t> link;
        std::vector<std::uint8_t> crossed;  // [m] by the routes of its sites, as believed
        std::vector<std::size_t> sites;
    };
    struct Target {  // of the background
        index_t node;
        std::vector<std::size_t> demands;
        std::vector<double> load;  // [2m] as believed
        double lost = 0;
    };
    void route_sites(std::size_t fog, const State& state, Search& search, Ways& out) const;
    void route_fogs(const State& state, Search& search, Ways& out) const;
    void route_background(const State& state, bool all, Search& search, Ways& out) const;
    void share(const State& state, Search& search, Ways& out) const;
    [[nodiscard]] bool has(const State& state, std::size_t link) const { return state.link_share[link] > 0; }
    void back(const std::vector<index_t>& via, const std::vector<index_t>* link, index_t node,
              std::vector<index_t>& route) const;
    [[nodiscard]] Overlay overlay_of(const State& state) const;
    double load_of(const Target& target, const Overlay& overlay, Search& search) const;

    const Belief& belief_;
    std::shared_ptr<const Graph> graph_;
    std::vector<Domain> domains_;
    std::vector<std::uint8_t> fogs_cross_;  // [m]
    std::vector<Target> targets_;
    Ways believed_;
};

}  // namespace tiertwin::whatif
