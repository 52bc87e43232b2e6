// Telling under a budget. Convert, call, return.
#include "abstraction/teller.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {
namespace {

using abstraction::Tellable;
using abstraction::Teller;

std::vector<Tellable> cells_of(const array_in<std::int64_t>& attribute, const array_in<std::uint32_t>& source,
                               const array_in<std::uint32_t>& target, const array_in<double>& band,
                               const array_in<double>& share, const array_in<double>& prior) {
    const py::ssize_t n = attribute.size();
    if (source.size() != n || target.size() != n || band.size() != n || share.size() != n || prior.size() != n) {
        throw py::value_error("Expected attributes, rows, bands, shares and priors of the same length, one a cell");
    }
    std::vector<Tellable> cells;
    cells.reserve(static_cast<std::size_t>(n));
    for (py::ssize_t i = 0; i < n; ++i) {
        if (attribute.data()[i] < 0 || attribute.data()[i] > 0xffff) {
            throw py::value_error("Cell " + std::to_string(i) + ": expected an attribute id in 0 ... 65535, got " +
                                  std::to_string(attribute.data()[i]));
        }
        cells.push_back({static_cast<AttributeId>(attribute.data()[i]), source.data()[i], target.data()[i],
                         band.data()[i], share.data()[i], prior.data()[i]});
    }
    return cells;
}

}  // namespace

void bind_teller(py::module_& m) {
    py::class_<Teller>(m, "Teller", "Tells cells of one table in another, worthiest first, within a budget of bytes.")
        .def(py::init([](const array_in<std::int64_t>& attribute, const array_in<std::uint32_t>& source,
                         const array_in<std::uint32_t>& target, const array_in<double>& band,
                         const array_in<double>& share, const array_in<double>& prior) {
                 return Teller(cells_of(attribute, source, target, band, share, prior));
             }),
             "attribute"_a.noconvert(), "source"_a.noconvert(), "target"_a.noconvert(), "band"_a.noconvert(),
             "share"_a.noconvert(), "prior"_a.noconvert(),
             "A cell moves when it differs from what was told, or its prior, by more than band + share*|told|.")
        .def("__len__", &Teller::size)
        .def("__copy__", [](const Teller& self) { return Teller(self); })
        .def(
            "__deepcopy__", [](const Teller& self, const py::dict&) { return Teller(self); }, "memo"_a)
        .def_property_readonly(
            "wanted", [](const Teller& self) { return fresh(self.wanted()); }, "Worths, one a cell.")
        .def(
            "want", [](Teller& self, const array_in<double>& worth) { self.want(view(worth)); }, "worth"_a.noconvert(),
            "What the square of an error of each cell costs the listener, >= 0; 0: not wanted.")
        .def(
            "tell",
            [](Teller& self, const StateTable& source, StateTable& target, double budget, double price) {
                const abstraction::Told told = self.tell(source, target, budget, price);  // 20 ns a cell: keeps the GIL
                return py::make_tuple(told.cells, told.waiting, told.bytes, told.worth);
            },
            "source"_a, "target"_a, "budget"_a, "price"_a = 0.0,
            "(cells told, cells left waiting, bytes and worth of the told).");
}

}  // namespace tiertwin::bindings
