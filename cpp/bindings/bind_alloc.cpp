// The leaf kernel (one Leaf a data version), dealing to devices, water-filling.
#include <limits>

#include "alloc/leaf.hpp"
#include "alloc/repair.hpp"
#include "base/error.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

namespace {

using alloc::Answer;
using alloc::Leaf;
using alloc::LeafProblem;
using array = array_in<double>;

py::array_t<double> matrix(const std::vector<double>& values, index_t rows, index_t columns) {
    return py::array_t<double>({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(columns)}, values.data());
}

py::tuple to_tuple(const Leaf& leaf, const Answer& a) {
    const LeafProblem& p = leaf.problem();
    return py::make_tuple(matrix(a.x, p.groups, p.tiers), a.worth.value, a.worth.scale, fresh<double>(a.use),
                          fresh<double>(a.own_load), fresh<double>(a.own_price), fresh<double>(a.quota_price), a.phi,
                          a.gap, a.iterations);
}
}  // namespace

void bind_alloc(py::module_& m) {
    py::class_<Leaf>(m, "Leaf")
        .def(py::init([](const array& demand, const array& weight, const array& alpha, const array& cost,
                         const array& use_own, const array& capacity, const array& kappa, const array& use_quota) {
            return std::make_unique<Leaf>(LeafProblem({view(demand), view(weight), view(alpha), view(cost), view(use_own), view(capacity), view(kappa), view(use_quota)}, cost.shape(1), use_quota.shape(0)));
        }))
        .def("solve_quota", [](Leaf& leaf, const array& q, index_t limit) { return to_tuple(leaf, leaf.solve_quota(view(q), limit)); }, "quota"_a, "iteration_limit"_a = 80)
        .def("solve_price", [](Leaf& leaf, const array& q, index_t limit) { return to_tuple(leaf, leaf.solve_price(view(q), limit)); }, "price"_a, "iteration_limit"_a = 80);
}

}  // namespace tiertwin::bindings
