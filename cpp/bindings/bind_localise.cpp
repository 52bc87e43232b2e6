// Noisy-OR localisation. A ranking takes milliseconds: it keeps the GIL, and nobody else may touch its evidence.
#include "bindings/arrays.hpp"
#include "localise/posterior.hpp"

namespace tiertwin::bindings {
namespace {

using localise::Evidence;
using localise::Influences;

std::shared_ptr<Influences> influences_of(const Ints& start, const Ints& observation, const Reals& q, const Reals& leak,
                                          const Reals& prior) {
    return std::make_shared<Influences>(
        localise::InfluenceRows{vector_in(start, "start"), vector_in(observation, "observation"), vector_in(q, "q"),
                                vector_in(leak, "leak"), vector_in(prior, "prior")});
}

void observe(Evidence& evidence, const Ints& observation, const array_in<std::int32_t>& state) {
    evidence.observe(vector_in(observation, "observation"), vector_in(state, "state"));
}

py::array_t<std::int32_t> states(const Evidence& evidence) {
    auto array = empty<std::int32_t>(static_cast<index_t>(evidence.states().size()));
    std::ranges::transform(evidence.states(), array.mutable_data(),
                           [](localise::State state) { return static_cast<std::int32_t>(state); });
    return array;
}

py::tuple posterior(Evidence& evidence, double cutoff, index_t shortlist, double work) {
    if (!(cutoff > 0.0 && work >= 1.0) || shortlist < 2 || shortlist > 20)
        throw InvalidArgument("limits: expected cutoff > 0, shortlist 2 to 20 and work >= 1, got " +
                              std::to_string(cutoff) + ", " + std::to_string(shortlist) + ", " + std::to_string(work));
    const auto found = localise::posterior(evidence, {cutoff, static_cast<std::size_t>(shortlist), work});
    return py::make_tuple(fresh<double>(found.probability), widen(found.best), found.ln_best, found.complete,
                          found.parts);
}

}  // namespace

void bind_localise(py::module_& m) {
    py::class_<Influences, std::shared_ptr<Influences>>(m, "Influences", "A noisy-OR model: causes by observations.")
        .def(py::init(&influences_of), "start"_a.noconvert(), "observation"_a.noconvert(), "q"_a.noconvert(),
             "leak"_a.noconvert(), "prior"_a.noconvert())
        .def_property_readonly("cause_count", &Influences::causes)
        .def_property_readonly("observation_count", &Influences::observations)
        .def_property_readonly("size", &Influences::size);
    py::class_<Evidence>(m, "Evidence", "What was observed of a noisy-OR model so far.")
        .def(py::init([](std::shared_ptr<Influences> model) { return Evidence(std::move(model)); }),
             "model"_a.none(false))
        .def("observe", &observe, "observation"_a.noconvert(), "state"_a.noconvert(),
             "Set states of observations: 1 alarm, 0 silent, -1 missing.")
        .def("forget", &Evidence::forget, "Every observation is missing again.")
        .def("states", &states, "State of every observation.")
        .def(
            "gains", [](Evidence& evidence) { return fresh<double>(evidence.gains()); },
            "Log-odds of each cause alone against none.")
        .def("posterior", &posterior, "cutoff"_a = 25.0, "shortlist"_a = 12, "work"_a = 2e7,
             "Probability of each cause, the best set, ln of its posterior, whether the sum is complete, parts.");
}

}  // namespace tiertwin::bindings
