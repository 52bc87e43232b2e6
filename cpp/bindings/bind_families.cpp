// Families of allocation at scale: options of users, fair shares of capacity. Solves of up to 50 000 options keep the
// GIL (milliseconds); larger ones let it go and may use threads.
#include <optional>

#include "alloc/fair_solver.hpp"
#include "base/error.hpp"
#include "bindings/common.hpp"
#include "bindings/team.hpp"

namespace tiertwin::bindings {

namespace {

using alloc::FairProblem;
using alloc::FairSolver;
using alloc::Options;
using array = array_in<double>;
using indices = array_in<index_t>;

// The structure and its solver; data of other instances come and go.
struct FairShares {
    FairShares(const indices& users, const indices& options, const indices& resource, const array& use, index_t count)
        : structure(view(users), view(options), view(resource), view(use), count) {}

    Options structure;
    std::unique_ptr<FairSolver> solver;
    bool busy = false;  // read and written under the GIL
};

// One solve at a time: while one of seconds has let go of the GIL, others must not touch the solver.
class Busy {
  public:
    explicit Busy(FairShares& shares) : shares_(shares) {
        if (shares.busy)
            throw InvalidArgument(
                "this structure is being solved by another thread: wait for it, or make one Options "
                "for each thread");
        shares.busy = true;
    }
    ~Busy() { shares_.busy = false; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

  private:
    FairShares& shares_;
};

template <typename T>
std::span<const T> given(const std::optional<array_in<T>>& array) {
    return array ? view(*array) : std::span<const T>();
}

// One instance: its numbers, checked and copied.
struct FairData {
    FairData(FairShares& of, const array& demand, const array& weight, const array& alpha, const array& capacity,
             const std::optional<array>& cost, const std::optional<array>& delay,
             const std::optional<indices>& floor_of, const std::optional<array>& floor,
             const std::optional<array>& penalty)
        : shares(of),
          problem(of.structure, {view(demand), view(weight), view(alpha), view(capacity), given(cost), given(delay),
                                 given(floor_of), given(floor), given(penalty)}) {}

    FairShares& shares;
    FairProblem problem;
};

std::span<const double> numbers(const char* name, const std::optional<array>& given, std::size_t count,
                                const char* of) {
    if (!given) return {};
    alloc::require_length(name, static_cast<std::size_t>(given->size()), count, of);
    return view(*given);
}

// Whatever the callable returns, by its truth; what it raises passes through the solver.
std::function<bool()> asked(const std::optional<py::function>& stop) {
    if (!stop) return nullptr;
    return [&stop] {
        const py::gil_scoped_acquire held;
        return py::bool_((*stop)()).cast<bool>();
    };
}

alloc::FairAnswer run(FairData& data, const alloc::FairStart& start, alloc::FairLimits limits, index_t threads) {
    const Busy busy(data.shares);
    auto& solver = data.shares.solver;
    if (!solver) solver = std::make_unique<FairSolver>(data.shares.structure);
    if (data.shares.structure.options() < alloc::kManyOptions) return solver->solve(data.problem, start, limits);
    const py::gil_scoped_release free;  // 30 ms to a minute
    Team team(static_cast<std::size_t>(threads));
    limits.run = [&team](std::size_t parts, const std::function<void(std::size_t)>& part) { team.run(parts, part); };
    return solver->solve(data.problem, start, limits);
}

py::tuple solved(FairData& data, const std::optional<array>& x, const std::optional<array>& price,
                 const std::optional<array>& floor_price, index_t limit, double tolerance,
                 const std::optional<py::function>& stop, index_t threads) {
    if (threads < 1 || threads > 256) throw InvalidArgument("threads: expected 1..256, got " + std::to_string(threads));
    const FairProblem& problem = data.problem;
    const alloc::FairStart start{numbers("start x", x, data.shares.structure.options(), "option"),
                                 numbers("start price", price, problem.capacity.size(), "resource"),
                                 numbers("start floor price", floor_price, problem.floor.size(), "floor")};
    const auto a = run(data, start, {limit, tolerance, asked(stop), {}}, threads);
    return py::make_tuple(fresh<double>(a.x), fresh<double>(a.price), fresh<double>(a.load), a.worth.value,
                          a.worth.scale, a.bound, a.iterations, fresh<double>(a.floor_price),
                          fresh<double>(a.shortfall));
}

py::array_t<double> fitted(const FairData& data, const array& x) {
    alloc::require_length("x", static_cast<std::size_t>(x.size()), data.shares.structure.options(), "option");
    std::vector<double> plan(x.data(), x.data() + x.size());
    alloc::fit(data.problem, plan);
    return fresh<double>(plan);
}

py::tuple judged(const FairData& data, const array& x) {
    alloc::require_length("x", static_cast<std::size_t>(x.size()), data.shares.structure.options(), "option");
    std::vector<double> load(data.problem.capacity.size()), shortfall(data.problem.floor.size());
    const auto worth = alloc::evaluate(data.problem, view(x), load, shortfall);
    return py::make_tuple(worth.value, worth.scale, fresh<double>(load), worth.violation, static_cast<int>(worth.fault),
                          worth.index, fresh<double>(shortfall));
}

double bounded(const FairData& data, const array& price, const std::optional<array>& floor_price) {
    alloc::require_length("price", static_cast<std::size_t>(price.size()), data.problem.capacity.size(), "resource");
    return alloc::price_bound(data.problem,
                              {view(price), numbers("floor price", floor_price, data.problem.floor.size(), "floor")});
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
             a("option_offsets"), a("resource"), a("use"), "resources"_a);
    py::class_<FairData>(m, "FairData", "Numbers of one instance of fair shares, checked and copied.")
        .def(py::init<FairShares&, const array&, const array&, const array&, const array&, const std::optional<array>&,
                      const std::optional<array>&, const std::optional<indices>&, const std::optional<array>&,
                      const std::optional<array>&>(),
             "shares"_a, a("demand"), a("weight"), a("alpha"), a("capacity"), maybe("cost"), maybe("delay"),
             maybe("floor_of"), maybe("floor"), maybe("penalty"), py::keep_alive<1, 2>())
        .def("solve", &solved, maybe("start_x"), maybe("start_price"), maybe("start_floor_price"),
             "iteration_limit"_a = 100, "tolerance"_a = 1e-3, "stop"_a = py::none(), "threads"_a = 1,
             "Fair shares: (x, price, load, value, scale, bound, iterations, floor_price, shortfall).")
        .def(
            "most", [](const FairData& data) { return fresh<double>(data.problem.most); },
            "Most each user could get; 0 for users that do not count.")
        .def("fit", &fitted, a("x"), "A feasible plan near x.")
        .def("value", &judged, a("x"), "Independent checker: (value, scale, load, violation, fault, index, shortfall).")
        .def("bound", &bounded, a("price"), maybe("floor_price"),
             "Upper bound on the value of every plan, from any prices of resources and floors.");
}

}  // namespace tiertwin::bindings
