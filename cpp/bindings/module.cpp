// The table of contents of tiertwin._core, in dependency order.
#include "bindings/common.hpp"

PYBIND11_MODULE(_core, m) {
    m.doc() = "Compiled core of tiertwin: graph, state tables, sync codec, allocation kernels and the plant.";
    namespace b = tiertwin::bindings;
    b::bind_base(m);
    b::bind_graph(m);
    b::bind_paths(m);
    b::bind_state(m);
    b::bind_queueing(m);
    b::bind_radio(m);
    b::bind_cells(m);
    b::bind_sinr(m);
    b::bind_handover(m);
    b::bind_alloc(m);
    b::bind_families(m);
    b::bind_master(m);
    b::bind_routing(m);
    b::bind_spectrum(m);
    b::bind_sync(m);
    b::bind_session(m);
    b::bind_log(m);
    b::bind_abstraction(m);
    b::bind_teller(m);
    b::bind_worth(m);
    b::bind_assure(m);
    b::bind_lying(m);
    b::bind_perf(m);
    b::bind_failures(m);
    b::bind_whatif(m);
    b::bind_forecast(m);
    b::bind_localise(m);
    b::bind_plant(m);
    b::bind_wear(m);
    b::bind_mobility(m);
    b::bind_packets(m);
    b::bind_access(m);
}
