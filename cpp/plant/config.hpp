// What a plant is made of: plain arrays, checked once. Sizes: N devices, C classes, S sites, R rings, F fogs, L
// directed links, Q = S + F + 1 servers (edge of site s is server s, fog f is S + f, the cloud is S + F), B radio load
// bins. Group of (site, class, ring) is (site * C + class) * R + ring.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::plant {

enum class Arrival : std::int64_t { kPoisson = 0, kOnOff = 1, kTrace = 2 };

struct Config {
    std::uint64_t seed = 0;
    // Devices, sorted by site or, where they are users who move (enable_access), in any order. `device_key` names their
    // random streams: keep it when devices come and go.
    std::vector<std::int64_t> device_site, device_class, device_ring, device_key;
    std::vector<double> device_ghz;
    bool device_any_order = false;
    // Classes. Sizes are means when `class_exponential` is 1, exact otherwise.
    std::vector<double> class_tasks_per_s, class_megabits, class_gcycles, class_deadline_s, class_transmit_w;
    std::vector<std::int64_t> class_arrival, class_exponential;
    std::vector<double> class_on_s, class_off_s;  // on-off: mean times; the rate while on keeps the mean of tasks_per_s
    // Trace of class c: trace_s[trace_ptr[c] : trace_ptr[c+1]], ascending; repeated every trace_repeat_s[c] with a
    // phase of its own for each device, or played once as it stands (0).
    std::vector<std::int64_t> trace_ptr;
    std::vector<double> trace_s, trace_repeat_s;
    // Radio: an uplink takes megabits / (ring rate * factor) of airtime; the cells of a site are shared by its uplinks.
    std::vector<double> ring_rate_mbps, radio_factor, site_cells;
    double radio_window_s = 1.0;
    bool radio_fifo = false;
    // Links and routes: directed links from a site to its fog, and from a fog to the cloud, in travel order.
    std::vector<double> link_capacity_mbps, link_propagation_s, link_background_mbps;
    std::vector<std::int64_t> link_site;  // whose report it is; -1 none
    bool link_fifo = false;               // first in first out; else shared by flows (link.hpp)
    std::vector<std::int64_t> site_fog, route_site_ptr, route_site_links, route_fog_ptr, route_fog_links;
    // Servers.
    std::vector<double> server_cores, server_core_ghz, server_idle_w, server_j_per_gcycle;
    std::vector<std::int64_t> server_discipline,
        server_site;  // discipline: 0 sharing, 1 fifo, 2 weighted (station.hpp)
    // Energy and buffers.
    double device_j_per_gcycle_ghz2 = 1.0;  // kappa = 1e-27 in J / (cycle Hz^2)
    double link_j_per_mb = 0.0;
    double buffer_s = 10.0;
    // Telemetry; report_s = 0: none.
    double report_s = 1.0, delay_low_s = 0.020, delay_high_s = 0.080, loss = 0.01, noise = 0.03, clock_offset_s = 0.050;

    [[nodiscard]] index_t devices() const { return static_cast<index_t>(device_site.size()); }
    [[nodiscard]] index_t classes() const { return static_cast<index_t>(class_tasks_per_s.size()); }
    [[nodiscard]] index_t sites() const { return static_cast<index_t>(site_cells.size()); }
    [[nodiscard]] index_t rings() const { return static_cast<index_t>(ring_rate_mbps.size()); }
    [[nodiscard]] index_t fogs() const { return static_cast<index_t>(route_fog_ptr.size()) - 1; }
    [[nodiscard]] index_t links() const { return static_cast<index_t>(link_capacity_mbps.size()); }
    [[nodiscard]] index_t servers() const { return sites() + fogs() + 1; }
    [[nodiscard]] index_t groups() const { return sites() * classes() * rings(); }

    // Throws InvalidArgument naming field, index, value and what was expected.
    void validate() const;
};

// One CSR of directed links, as above; throws InvalidArgument.
void validate_routes(const char* name, const std::vector<std::int64_t>& ptr, const std::vector<std::int64_t>& links,
                     index_t rows, index_t link_count);

}  // namespace tiertwin::plant
