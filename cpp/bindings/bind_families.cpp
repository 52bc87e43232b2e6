// Families of allocation at scale: options of users, fair shares of capacity. All of it keeps the GIL: a solve has one
// owner, and runs in a process of its own where it takes long.
#include <optional>

#include "alloc/fair_solver.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

namespace {

using alloc::FairProblem;
using alloc::FairSolver;
using alloc::Options;
using array = array_in<double>;
using indices = array_in<index_t>;

// The structure and its solver; problems of other data come and go.
struct FairShares {
    FairShares(const indices& users, const indices& options, const indices& resource, const array& use, index_t count)
        : structure(view(users), view(options), view(resource), view(use), count) {}

    Options structure;
    std::unique_ptr<FairSolver> solver;

    FairProblem problem(const array& demand, const array& weight, const array& alpha, const array& capacity,
                        const std::optional<array>& cost) const {
        return {
            structure,
            {view(demand), view(weight), view(alpha), view(capacity), cost ? view(*cost) : std::span<const double>()}};
    }
};

std::span<const double> numbers(const char* name, const std::optional<array>& given, std::size_t count,
                                const char* of) {
    if (!given) return {};
    alloc::require_length(name, static_cast<std::size_t>(given->size()), count, of);
    return view(*given);
}

py::tuple solved(FairShares& shares, const array& demand, const array& weight, const array& alpha,
                 const array& capacity, const std::optional<array>& cost, const std::optional<array>& x,
                 const std::optional<array>& price, index_t limit, double tolerance) {
    const FairProblem problem = shares.problem(demand, weight, alpha, capacity, cost);
    if (!shares.solver) shares.solver = std::make_unique<FairSolver>(shares.structure);
    const alloc::FairStart start{numbers("start x", x, shares.structure.options(), "option"),
                                 numbers("start price", price, problem.capacity.size(), "resource")};
    const auto a = shares.solver->solve(problem, start, limit, tolerance);
    return py::make_tuple(fresh<double>(a.x), fresh<double>(a.price), fresh<double>(a.load), a.worth.value,
                          a.worth.scale, a.bound, a.iterations);
}

}  // namespace

void bind_families(py::module_& m) {
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    const auto maybe = [](const char* name) { return py::arg(name).noconvert() = py::none(); };
    m.def(
        "check_options",
        [](const indices& users, const indices& options, const indices& resource, const array& use, index_t count) {
            Options(view(users), view(options), view(resource), view(use), count);
        },
        a("user_offsets"), a("option_offsets"), a("resource"), a("use"), "resources"_a,
        "Check a structure; ValueError says what is wrong with which entry.");
    py::class_<FairShares>(m, "FairShares", "Users, their options and what these use of shared resources (CSR).")
        .def(py::init<const indices&, const indices&, const indices&, const array&, index_t>(), a("user_offsets"),
             a("option_offsets"), a("resource"), a("use"), "resources"_a)
        .def("solve", &solved, a("demand"), a("weight"), a("alpha"), a("capacity"), maybe("cost"), maybe("start_x"),
             maybe("start_price"), "iteration_limit"_a = 100, "tolerance"_a = 1e-3,
             "Fair shares: (x, price, load, value, scale, bound, iterations).")
        .def(
            "most",
            [](const FairShares& shares, const array& demand, const array& weight, const array& alpha,
               const array& capacity, const std::optional<array>& cost) {
                return fresh<double>(shares.problem(demand, weight, alpha, capacity, cost).most);
            },
            a("demand"), a("weight"), a("alpha"), a("capacity"), maybe("cost"),
            "Most each user could get; 0 for users that do not count. Checks the data.")
        .def(
            "fit",
            [](const FairShares& shares, const array& x, const array& demand, const array& weight, const array& alpha,
               const array& capacity, const std::optional<array>& cost) {
                const FairProblem problem = shares.problem(demand, weight, alpha, capacity, cost);
                alloc::require_length("x", static_cast<std::size_t>(x.size()), shares.structure.options(), "option");
                std::vector<double> plan(x.data(), x.data() + x.size());
                alloc::fit(problem, plan);
                return fresh<double>(plan);
            },
            a("x"), a("demand"), a("weight"), a("alpha"), a("capacity"), maybe("cost"), "A feasible plan near x.")
        .def(
            "value",
            [](const FairShares& shares, const array& x, const array& demand, const array& weight, const array& alpha,
               const array& capacity, const std::optional<array>& cost) {
                const FairProblem problem = shares.problem(demand, weight, alpha, capacity, cost);
                alloc::require_length("x", static_cast<std::size_t>(x.size()), shares.structure.options(), "option");
                std::vector<double> load(problem.capacity.size());
                const auto worth = alloc::evaluate(problem, view(x), load);
                return py::make_tuple(worth.value, worth.scale, fresh<double>(load), worth.violation,
                                      static_cast<int>(worth.fault), worth.index);
            },
            a("x"), a("demand"), a("weight"), a("alpha"), a("capacity"), maybe("cost"),
            "Independent checker: (value, scale, load, violation, fault, index).")
        .def(
            "bound",
            [](const FairShares& shares, const array& price, const array& demand, const array& weight,
               const array& alpha, const array& capacity, const std::optional<array>& cost) {
                const FairProblem problem = shares.problem(demand, weight, alpha, capacity, cost);
                alloc::require_length("price", static_cast<std::size_t>(price.size()), problem.capacity.size(),
                                      "resource");
                return alloc::price_bound(problem, view(price));
            },
            a("price"), a("demand"), a("weight"), a("alpha"), a("capacity"), maybe("cost"),
            "Upper bound on the value of every plan, from any prices of the resources.");
}

}  // namespace tiertwin::bindings
