// Station formulas over arrays: every argument is an array of the same length, or of length 1 (used for all).
#include "bindings/each.hpp"
#include "queueing/station.hpp"

namespace tiertwin::bindings {
namespace {

using Reals = array_in<double>;
using Ints = array_in<index_t>;

}  // namespace

void bind_queueing(py::module_& m) {
    m.def(
        "mm1_delay", [](const Reals& lam, const Reals& mu) { return each(mm1_delay, lam, mu); }, "lam"_a.noconvert(),
        "mu"_a.noconvert(), "Mean time in an M/M/1 station.");
    m.def(
        "mm1_tail", [](const Reals& lam, const Reals& mu, const Reals& t) { return each(mm1_tail, lam, mu, t); },
        "lam"_a.noconvert(), "mu"_a.noconvert(), "t"_a.noconvert(), "P(time in an M/M/1 station > t).");
    m.def(
        "mm1k_loss", [](const Reals& lam, const Reals& mu, const Ints& k) { return each(mm1k_loss, lam, mu, k); },
        "lam"_a.noconvert(), "mu"_a.noconvert(), "places"_a.noconvert(), "Loss of an M/M/1/K station.");
    m.def(
        "mm1k_delay", [](const Reals& lam, const Reals& mu, const Ints& k) { return each(mm1k_delay, lam, mu, k); },
        "lam"_a.noconvert(), "mu"_a.noconvert(), "places"_a.noconvert(), "Mean time in M/M/1/K of those let in.");
    m.def(
        "erlang_c", [](const Ints& c, const Reals& a) { return each(erlang_c, c, a); }, "servers"_a.noconvert(),
        "offered"_a.noconvert(), "Probability of waiting at c servers.");
    m.def(
        "mmc_delay", [](const Reals& lam, const Reals& mu, const Ints& c) { return each(mmc_delay, lam, mu, c); },
        "lam"_a.noconvert(), "mu"_a.noconvert(), "servers"_a.noconvert(), "Mean time in an M/M/c station.");
    m.def(
        "mg1_wait", [](const Reals& lam, const Reals& es, const Reals& es2) { return each(mg1_wait, lam, es, es2); },
        "lam"_a.noconvert(), "es"_a.noconvert(), "es2"_a.noconvert(), "Mean wait in M/G/1.");
    m.def(
        "md1_wait", [](const Reals& lam, const Reals& es) { return each(md1_wait, lam, es); }, "lam"_a.noconvert(),
        "es"_a.noconvert(), "Mean wait in M/D/1.");
    m.def(
        "gg1_wait",
        [](const Reals& lam, const Reals& es, const Reals& ca2, const Reals& cs2) {
            return each(gg1_wait, lam, es, ca2, cs2);
        },
        "lam"_a.noconvert(), "es"_a.noconvert(), "ca2"_a.noconvert(), "cs2"_a.noconvert(),
        "Mean wait in G/G/1 by Kingman.");
    m.def(
        "ps_delay", [](const Reals& lam, const Reals& es) { return each(ps_delay, lam, es); }, "lam"_a.noconvert(),
        "es"_a.noconvert(), "Mean time in an M/G/1 processor-sharing station.");
    m.def(
        "priority_wait",
        [](const Reals& lam, const Reals& es, const Reals& es2) {
            py::array_t<double> wait(lam.size());
            priority_wait(view(lam), view(es), view(es2), {wait.mutable_data(), static_cast<std::size_t>(wait.size())});
            return wait;
        },
        "lam"_a.noconvert(), "es"_a.noconvert(), "es2"_a.noconvert(),
        "Mean waits of non-preemptive priority classes, the first served first.");
}

}  // namespace tiertwin::bindings
