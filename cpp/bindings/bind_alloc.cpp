// The leaf kernel (one Leaf a data version), dealing to devices, water-filling. All of it keeps the GIL: a solve is
// about 0.1 ms at an edge site, and taking the lock back would cost more.
#include <optional>
#include <string>

#include "alloc/deal.hpp"
#include "alloc/leaf.hpp"
#include "alloc/repair.hpp"
#include "alloc/waterfill.hpp"
#include "base/error.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

namespace {

using alloc::Leaf;
using alloc::LeafProblem;
using array = array_in<double>;

std::string shape_of(const py::array& a) {
    std::string text = "[";
    for (py::ssize_t i = 0; i < a.ndim(); ++i) text += (i > 0 ? ", " : "") + std::to_string(a.shape(i));
    return text + "]";
}

void require_shape(const char* name, const py::array& a, const std::vector<index_t>& expected, const char* symbols) {
    bool same = a.ndim() == static_cast<py::ssize_t>(expected.size());
    for (std::size_t i = 0; same && i < expected.size(); ++i)
        same = expected[i] < 0 || a.shape(static_cast<py::ssize_t>(i)) == expected[i];
    if (!same) throw InvalidArgument(std::string(name) + ": expected shape " + symbols + ", got " + shape_of(a));
}

py::array_t<double> matrix(std::span<const double> values, index_t rows, index_t columns) {
    return py::array_t<double>({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(columns)}, values.data());
}

std::unique_ptr<Leaf> make_leaf(const array& demand, const array& weight, const array& alpha, const array& cost,
                                const array& use_own, const array& capacity, const array& kappa,
                                const array& use_quota) {
    require_shape("demand", demand, {-1}, "[G]");
    require_shape("cost", cost, {demand.shape(0), -1}, "[G, T]");
    const index_t g = cost.shape(0), t = cost.shape(1);
    require_shape("weight", weight, {g}, "[G]");
    require_shape("alpha", alpha, {g}, "[G]");
    require_shape("capacity", capacity, {-1}, "[K]");
    require_shape("kappa", kappa, {capacity.shape(0)}, "[K]");
    require_shape("use_own", use_own, {capacity.shape(0), g, t}, "[K, G, T]");
    require_shape("use_quota", use_quota, {-1, g, t}, "[J, G, T]");
    return std::make_unique<Leaf>(LeafProblem({view(demand), view(weight), view(alpha), view(cost), view(use_own),
                                               view(capacity), view(kappa), view(use_quota)},
                                              t, use_quota.shape(0)));
}

py::tuple solved(const Leaf& leaf, const alloc::Answer& a) {
    const LeafProblem& p = leaf.problem();
    return py::make_tuple(matrix(a.x, p.groups, p.tiers), a.worth.value, a.worth.scale, fresh<double>(a.use),
                          fresh<double>(a.own_load), fresh<double>(a.own_price), fresh<double>(a.quota_price), a.phi,
                          a.gap, a.iterations);
}

// One row an answer, quotas first: what a refresh needs of many solves, in one crossing.
py::tuple solved_all(Leaf& leaf, const array& quotas, const array& prices, index_t limit) {
    const LeafProblem& p = leaf.problem();
    require_shape("quotas", quotas, {-1, p.quotas}, "[n, J]");
    require_shape("prices", prices, {-1, p.quotas}, "[m, J]");
    const index_t n = quotas.shape(0), all = n + prices.shape(0);
    py::array_t<double> x({all, p.groups, p.tiers}), use({all, p.quotas}), load({all, p.own}), own({all, p.own}),
        quota_price({all, p.quotas}), scalars({all, index_t{4}});
    const auto put = [](py::array_t<double>& rows, index_t row, const std::vector<double>& values) {
        std::copy(values.begin(), values.end(), rows.mutable_data() + row * static_cast<index_t>(values.size()));
    };
    const auto row_of = [&p](const array& rows, index_t row) {
        return std::span<const double>(rows.data() + row * p.quotas, static_cast<std::size_t>(p.quotas));
    };
    for (index_t i = 0; i < all; ++i) {
        const auto asked = i < n ? row_of(quotas, i) : row_of(prices, i - n);
        const alloc::Answer a = i < n ? leaf.solve_quota(asked, limit) : leaf.solve_price(asked, limit);
        put(x, i, a.x);
        put(use, i, a.use);
        put(load, i, a.own_load);
        put(own, i, a.own_price);
        put(quota_price, i, a.quota_price);
        put(scalars, i, {a.worth.value, a.worth.scale, a.phi, a.worth.violation});
    }
    return py::make_tuple(x, use, load, own, quota_price, scalars);
}

std::span<const double> plan(const Leaf& leaf, const array& x) {
    require_shape("x", x, {leaf.problem().groups, leaf.problem().tiers}, "[G, T]");
    return view(x);
}

// No quota (None) is an empty span: nothing is limited.
std::span<const double> limits(const Leaf& leaf, const std::optional<array>& quota) {
    if (!quota) return {};
    require_shape("quota", *quota, {leaf.problem().quotas}, "[J]");
    const auto values = view(*quota);
    for (double value : values)
        if (!(value >= 0.0)) throw InvalidArgument("quota: expected numbers >= 0, got " + std::to_string(value));
    return values;
}

py::tuple value_of(const Leaf& leaf, const array& x, const std::optional<array>& quota) {
    const LeafProblem& p = leaf.problem();
    std::vector<double> use(static_cast<std::size_t>(p.quotas)), load(static_cast<std::size_t>(p.own));
    const auto e = alloc::evaluate(p, plan(leaf, x), limits(leaf, quota), use, load);
    return py::make_tuple(e.value, e.scale, fresh<double>(use), fresh<double>(load), e.violation,
                          static_cast<int>(e.fault), e.index);
}

py::tuple cut_at(const Leaf& leaf, const array& price, const array& own_price) {
    require_shape("quota_price", price, {leaf.problem().quotas}, "[J]");
    require_shape("own_price", own_price, {leaf.problem().own}, "[K]");
    const auto made = alloc::cut(leaf.problem(), view(price), view(own_price));
    return py::make_tuple(made.phi, made.drift);
}

// A copy of x changed by `change`, in the shape of x.
template <typename Change>
py::array_t<double> changed(const Leaf& leaf, const array& x, Change change) {
    const auto given = plan(leaf, x);
    std::vector<double> rates(given.begin(), given.end());
    change(rates);
    return matrix(rates, leaf.problem().groups, leaf.problem().tiers);
}

py::array_t<double> greedy(const Leaf& leaf, const std::optional<array>& quota) {
    std::vector<double> rates(leaf.problem().cells());
    alloc::greedy(leaf.problem(), limits(leaf, quota), rates);
    return matrix(rates, leaf.problem().groups, leaf.problem().tiers);
}

py::array_t<double> deal(const array_in<index_t>& group_of, const array& weight, const array& x,
                         const std::optional<array>& cap) {
    require_shape("group_of_device", group_of, {-1}, "[N]");
    require_shape("weight", weight, {group_of.shape(0)}, "[N]");
    require_shape("x", x, {-1, -1}, "[G, T]");
    if (cap) require_shape("cap", *cap, {group_of.shape(0)}, "[N]");
    py::array_t<double> out({group_of.shape(0), x.shape(1)});
    alloc::deal(view(group_of), view(weight), view(x), x.shape(1), cap ? view(*cap) : std::span<const double>(),
                {out.mutable_data(), static_cast<std::size_t>(out.size())});
    return out;
}

py::tuple waterfill(const array& capacity, const array_in<index_t>& offsets, const array_in<index_t>& links,
                    const array& weights, double tolerance) {
    std::vector<double> rates(static_cast<std::size_t>(weights.size()));
    const index_t rounds =
        alloc::waterfill(view(capacity), {view(offsets), view(links)}, view(weights), rates, tolerance);
    return py::make_tuple(fresh<double>(rates), rounds);
}

void bind_leaf(py::module_& m) {
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    const auto quota = [] { return py::arg("quota").noconvert() = py::none(); };
    py::class_<Leaf>(m, "Leaf", "One data version of a leaf problem, solved many times. One thread owns it.")
        .def(py::init(&make_leaf), a("demand"), a("weight"), a("alpha"), a("cost"), a("use_own"), a("capacity"),
             a("kappa"), a("use_quota"))
        .def(
            "solve_quota",
            [](Leaf& leaf, const array& r, index_t limit) { return solved(leaf, leaf.solve_quota(view(r), limit)); },
            a("quota"), "iteration_limit"_a = alloc::kIterationLimit,
            "Best plan inside quota[J]: (x, value, scale, use, own_load, own_price, quota_price, phi, gap, "
            "iterations).")
        .def("solve_all", &solved_all, a("quotas"), a("prices"), "iteration_limit"_a = alloc::kIterationLimit,
             "Many solves at once, quotas[n, J] then prices[m, J]: (x, use, own_load, own_price, quota_price, "
             "scalars[n + m, 4] = value, scale, phi, violation).")
        .def(
            "solve_price",
            [](Leaf& leaf, const array& g, index_t limit) { return solved(leaf, leaf.solve_price(view(g), limit)); },
            a("price"), "iteration_limit"_a = alloc::kIterationLimit,
            "Best plan when quotas cost price[J]; `value` is without that cost. The same tuple as solve_quota.")
        .def("cut", &cut_at, a("quota_price"), a("own_price"), "(phi, drift) at any prices: V(r) <= phi + price.r.")
        .def("value", &value_of, a("x"), quota(),
             "Independent checker: (value, scale, use, own_load, violation, fault, index).")
        .def(
            "value_at_growth",
            [](const Leaf& leaf, const array& x, double growth) {
                return alloc::value_at_growth(leaf.problem(), plan(leaf, x), growth);
            },
            a("x"), "growth"_a, "Value of the same rates when demands are (1 + growth) times as large.")
        .def(
            "repair",
            [](const Leaf& leaf, const array& x, const std::optional<array>& r) {
                const auto bounds = limits(leaf, r);
                return changed(leaf, x, [&](auto& rates) { alloc::repair(leaf.problem(), rates, bounds); });
            },
            a("x"), quota(), "A feasible plan near x: clip, scale down, overdraft to the device tier.")
        .def(
            "project",
            [](const Leaf& leaf, const array& x, const std::optional<array>& r, double tolerance) {
                const auto bounds = limits(leaf, r);
                return changed(leaf, x, [&](auto& rates) { alloc::project(leaf.problem(), rates, bounds, tolerance); });
            },
            a("x"), quota(), "tolerance"_a = 1e-9, "The nearest feasible plan (Euclidean, tasks/s).")
        .def(
            "refresh",
            [](const Leaf& leaf, const array& x) {
                return changed(leaf, x, [&](auto& rates) { alloc::refresh(leaf.problem(), rates); });
            },
            a("x"), "A plan of older data on these: rates kept, cut at the demand, growth to the device tier.")
        .def("greedy", &greedy, quota(), "A feasible plan without an optimiser (ladder step S6).");
}

}  // namespace

void bind_alloc(py::module_& m) {
    bind_leaf(m);
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    m.def("deal", &deal, a("group_of_device"), a("weight"), a("x"), py::arg("cap").noconvert() = py::none(),
          "Deal the rates x[G, T] of groups to their devices by weight, at most cap each: [N, T].");
    m.def("waterfill", &waterfill, a("capacity"), a("offsets"), a("links"), a("weights"), "tolerance"_a = 1e-12,
          "Weighted max-min rates of flows over links (CSR rows of links): (rates, rounds).");
}

}  // namespace tiertwin::bindings
