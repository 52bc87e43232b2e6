// Spectrum and power of a cluster of cells: efficiencies of all pairs, and powers for given cells. Keeps the GIL: a
// call takes milliseconds.
#include "alloc/options.hpp"
#include "alloc/spectrum.hpp"
#include "base/error.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

namespace {

using alloc::Cluster;
using array = array_in<double>;

Cluster cluster_of(const array& gain, const array& least, const array& most, const array& bandwidth,
                   const array& activity, const array& outside, double noise, double efficiency, double cap) {
    const Cluster cluster{view(gain), view(least), view(most), view(bandwidth), view(activity), view(outside),
                          noise,      efficiency,  cap};
    cluster.check();
    return cluster;
}

}  // namespace

void bind_spectrum(py::module_& m) {
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    m.def(
        "spectral_efficiency",
        [](const array& power, const array& gain, const array& least, const array& most, const array& bandwidth,
           const array& activity, const array& outside, double noise, double efficiency, double cap) {
            const Cluster cluster = cluster_of(gain, least, most, bandwidth, activity, outside, noise, efficiency, cap);
            alloc::require_length("power", static_cast<std::size_t>(power.size()), cluster.cells(), "cell");
            py::array_t<double> out(
                {static_cast<py::ssize_t>(cluster.users()), static_cast<py::ssize_t>(cluster.cells())});
            alloc::spectral_efficiency(cluster, view(power),
                                       {out.mutable_data(), static_cast<std::size_t>(out.size())});
            return out;
        },
        a("power"), a("gain"), a("power_least"), a("power_most"), a("bandwidth"), a("activity"), a("outside"),
        "noise"_a, "efficiency"_a, "cap"_a, "bit/s/Hz of every user at every cell under these powers, [U, C].");
    m.def(
        "ascend_power",
        [](const array_in<index_t>& cell, const array& weight, const array& start, const array& gain,
           const array& least, const array& most, const array& bandwidth, const array& activity, const array& outside,
           double noise, double efficiency, double cap, index_t iteration_limit, double tolerance) {
            const Cluster cluster = cluster_of(gain, least, most, bandwidth, activity, outside, noise, efficiency, cap);
            alloc::require_length("cell", static_cast<std::size_t>(cell.size()), cluster.users(), "user");
            alloc::require_length("weight", static_cast<std::size_t>(weight.size()), cluster.users(), "user");
            alloc::require_length("start", static_cast<std::size_t>(start.size()), cluster.cells(), "cell");
            for (const index_t j : view(cell))
                if (j < -1 || j >= static_cast<index_t>(cluster.cells()))
                    throw InvalidArgument("cell: expected -1.." + std::to_string(cluster.cells() - 1) + ", got " +
                                          std::to_string(j));
            const auto found =
                alloc::ascend_power(cluster, view(cell), view(weight), view(start), iteration_limit, tolerance);
            return py::make_tuple(fresh<double>(found.power), found.value, found.gap, found.iterations);
        },
        a("cell"), a("weight"), a("start"), a("gain"), a("power_least"), a("power_most"), a("bandwidth"), a("activity"),
        a("outside"), "noise"_a, "efficiency"_a, "cap"_a, "iteration_limit"_a, "tolerance"_a,
        "Best powers for given cells: (power, value, gap, iterations).");
}

}  // namespace tiertwin::bindings
