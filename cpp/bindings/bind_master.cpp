// The upper model of a node (cpp/alloc/upper_master.hpp). Keeps the GIL: a solve is 0.05 to 0.5 ms.
#include "alloc/upper_master.hpp"
#include "base/error.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

namespace {

using array = array_in<double>;

py::array_t<double> table(const std::vector<double>& values, std::size_t rows) {
    const auto count = static_cast<py::ssize_t>(rows);
    return py::array_t<double>({count, static_cast<py::ssize_t>(values.size()) / count}, values.data());
}

py::tuple solved(const array& level, const array& slope, const array& share, const array& limit, const array& kappa,
                 const array& price, index_t iteration_limit, double tolerance) {
    if (level.ndim() != 2 || slope.ndim() != 3 || share.ndim() != 2)
        throw InvalidArgument("upper model: expected level [N, K], slope [N, K, J] and share [N, J]");
    const auto size = [](py::ssize_t n) { return static_cast<std::size_t>(n); };
    const alloc::UpperMaster problem{size(level.shape(0)), size(level.shape(1)), size(slope.shape(2)),
                                     view(level),          view(slope),          view(share),
                                     view(limit),          view(kappa),          view(price)};
    const auto a = alloc::solve_upper(problem, iteration_limit, tolerance);
    return py::make_tuple(table(a.x, problem.children), table(a.weight, problem.children), fresh<double>(a.price),
                          a.gap, a.iterations);
}

}  // namespace

void bind_master(py::module_& m) {
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    m.def("solve_upper", &solved, a("level"), a("slope"), a("share"), a("limit"), a("kappa"), a("price"),
          "iteration_limit"_a = 80, "tolerance"_a = 1e-8,
          "Upper model of a node in the solver's units: (x [N, J], weight [N, K], price [J], gap, iterations).");
}

}  // namespace tiertwin::bindings
