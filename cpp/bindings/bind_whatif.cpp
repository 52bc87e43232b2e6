// The what-if engine: a belief in as a dictionary of arrays, rows of KPIs out. Sweeps release the GIL and may use
// threads; one situation is under a millisecond of work and keeps it.
#include <exception>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/fields.hpp"
#include "bindings/team.hpp"
#include "whatif/model.hpp"

namespace tiertwin::bindings {
namespace {

using whatif::Belief;
using whatif::Model;
using whatif::Player;
using whatif::Replan;

constexpr index_t kMostThreads = 256;
constexpr std::size_t kPart = 64;  // situations done in a row by one thread: a player costs about one of them

Belief belief_of(const py::dict& source) {
    Belief b;
    Fields fields("WhatIf", source);
    for (const auto& [name, into] : {std::pair{"link_tail", &b.link_tail},
                                     {"link_head", &b.link_head},
                                     {"demand_tail", &b.demand_tail},
                                     {"demand_head", &b.demand_head},
                                     {"site_node", &b.site_node},
                                     {"site_fog", &b.site_fog},
                                     {"fog_node", &b.fog_node},
                                     {"node_fog", &b.node_fog},
                                     {"home", &b.home}})
        fields.array(name, *into);
    for (const auto& [name, into] : {std::pair{"link_km", &b.link_km},
                                     {"link_mbps", &b.link_mbps},
                                     {"link_share", &b.link_share},
                                     {"background_mbps", &b.background_mbps},
                                     {"demand_mbps", &b.demand_mbps},
                                     {"site_weight", &b.site_weight},
                                     {"fog_weight", &b.fog_weight},
                                     {"uplink_fog_mbps", &b.uplink_fog_mbps},
                                     {"server_ghz", &b.server_ghz},
                                     {"weight", &b.weight},
                                     {"alpha", &b.alpha},
                                     {"lost_per_s", &b.lost_per_s},
                                     {"megabits", &b.megabits},
                                     {"gcycles", &b.gcycles},
                                     {"deadline_s", &b.deadline_s},
                                     {"demand", &b.demand},
                                     {"users", &b.users},
                                     {"airtime", &b.airtime},
                                     {"device_ghz", &b.device_ghz},
                                     {"cost", &b.cost},
                                     {"seconds", &b.seconds},
                                     {"energy_j", &b.energy_j},
                                     {"capacity", &b.capacity},
                                     {"kappa", &b.kappa},
                                     {"plan", &b.plan},
                                     {"quota", &b.quota}})
        fields.array(name, *into);
    for (const auto& [name, into] : {std::pair{"core_ghz", &b.core_ghz},
                                     {"lan_mbps", &b.lan_mbps},
                                     {"kappa0_compute", &b.kappa0_compute},
                                     {"kappa0_link", &b.kappa0_link},
                                     {"lost_mean", &b.lost_mean}})
        fields.number(name, *into);
    fields.integer("nodes", b.nodes);
    fields.integer("cloud_node", b.cloud_node);
    fields.finish();
    return b;
}

// Situations of one's own: another thread may write to the arrays once the GIL is free.
struct Given {
    Given(const Model& model, const Ints& s, const Ints& c, const Ints& p, const Ints& o, const Reals& v)
        : start(copy(vector_in(s, "start"))),
          change(copy(vector_in(c, "change"))),
          part(copy(vector_in(p, "part"))),
          other(copy(vector_in(o, "other"))),
          value(copy(vector_in(v, "value"))) {
        whatif::require_situations(all(), model.belief());
    }
    template <typename T>
    static std::vector<T> copy(std::span<const T> values) {
        return {values.begin(), values.end()};
    }
    [[nodiscard]] whatif::Situations all() const { return {start, change, part, other, value}; }

    std::vector<index_t> start, change, part, other;
    std::vector<double> value;
};

Replan replan_of(index_t code) {
    if (code != 0 && code != 1)
        throw InvalidArgument("replan: expected 0 (none) or 1 (local), got " + std::to_string(code));
    return static_cast<Replan>(code);
}

py::array_t<double> sweep(const Model& model, const Ints& start, const Ints& change, const Ints& part,
                          const Ints& other, const Reals& value, index_t replan, index_t threads) {
    const Given given(model, start, change, part, other, value);
    const Replan rule = replan_of(replan);
    if (threads < 1 || threads > kMostThreads)
        throw InvalidArgument("threads: expected 1 .. " + std::to_string(kMostThreads) + ", got " +
                              std::to_string(threads));
    const whatif::Situations all = given.all();
    const std::size_t count = all.size(), parts = (count + kPart - 1) / kPart;
    py::array_t<double> kpis({static_cast<py::ssize_t>(count), static_cast<py::ssize_t>(whatif::kKpis)});
    const auto rows = out(kpis);
    std::vector<std::exception_ptr> failed(parts);
    {
        const py::gil_scoped_release free;  // 0.2 to 3 ms a situation: up to minutes
        Team team(std::min(static_cast<std::size_t>(threads), std::max<std::size_t>(parts, 1)));
        team.run(parts, [&](std::size_t i) {
            try {
                const std::size_t first = i * kPart, last = std::min(first + kPart, count);
                whatif::sweep(model, all, rule, first, last,
                              rows.subspan(first * whatif::kKpis, (last - first) * whatif::kKpis));
            } catch (...) {
                failed[i] = std::current_exception();
            }
        });
    }
    for (const std::exception_ptr& error : failed)
        if (error) std::rethrow_exception(error);
    return kpis;
}

// What the one situation given leaves: arrays by name, for whoever plans it by other means.
py::dict enter(const Model& model, const Ints& start, const Ints& change, const Ints& part, const Ints& other,
               const Reals& value) {
    const Given given(model, start, change, part, other, value);
    if (given.all().size() != 1) throw InvalidArgument("expected one situation");
    Player player(model);
    player.enter(given.all(), 0);
    std::vector<double> capacity, kappa, cost, uplink;
    for (const whatif::Problem& p : player.planned().problem) {
        capacity.insert(capacity.end(), p.capacity, p.capacity + 3);
        kappa.insert(kappa.end(), p.kappa, p.kappa + 3);
        cost.insert(cost.end(), p.cost.begin(), p.cost.end());
    }
    for (std::size_t f = 0; f < model.belief().fogs(); ++f)
        uplink.push_back(model.sites().fog_uplink(f, player.ways()));
    py::dict found;
    for (const auto& [name, values] : {std::pair{"demand", &player.state().demand},
                                       {"users", &player.state().users},
                                       {"server_ghz", &player.state().server_ghz},
                                       {"capacity", &std::as_const(capacity)},
                                       {"kappa", &std::as_const(kappa)},
                                       {"cost", &std::as_const(cost)},
                                       {"uplink_fog_mbps", &std::as_const(uplink)},
                                       {"link_mbps", &player.ways().capacity_mbps},
                                       {"background_mbps", &player.ways().background_mbps}})
        found[name] = fresh<double>(*values);
    py::list routes;
    for (const auto& route : player.ways().route) routes.append(fresh<index_t>(route));
    found["routes"] = routes;
    return found;
}

py::array_t<double> judge(const Model& model, const Ints& start, const Ints& change, const Ints& part,
                          const Ints& other, const Reals& value, const Reals& plan) {
    const Given given(model, start, change, part, other, value);
    const auto rates = vector_in(plan, "plan");
    const std::size_t cells = model.belief().plan.size();
    if (given.all().size() != 1 || rates.size() != cells)
        throw InvalidArgument("expected one situation and a plan of " + std::to_string(cells) + " rates, got " +
                              std::to_string(given.all().size()) + " and " + std::to_string(rates.size()));
    Player player(model);
    player.enter(given.all(), 0);
    auto kpis = empty<double>(static_cast<index_t>(whatif::kKpis));
    player.expect(rates, std::span<double, whatif::kKpis>(out(kpis)));
    return kpis;
}

}  // namespace

void bind_whatif(py::module_& m) {
    py::class_<Model>(m, "WhatIf", "What a twin expects of its domain in situations; immutable.")
        .def(py::init([](const py::dict& belief) { return std::make_unique<Model>(belief_of(belief)); }), "belief"_a,
             "A belief (cpp/whatif/belief.hpp); raises ValueError.")
        .def("sweep", &sweep, "start"_a.noconvert(), "change"_a.noconvert(), "part"_a.noconvert(),
             "other"_a.noconvert(), "value"_a.noconvert(), "replan"_a, "threads"_a = 1,
             "KPIs [situations, 16]; changes start[s]:start[s+1] belong to situation s (cpp/whatif/situation.hpp).")
        .def("enter", &enter, "start"_a.noconvert(), "change"_a.noconvert(), "part"_a.noconvert(),
             "other"_a.noconvert(), "value"_a.noconvert(), "What one situation leaves of the domain, as arrays.")
        .def("judge", &judge, "start"_a.noconvert(), "change"_a.noconvert(), "part"_a.noconvert(),
             "other"_a.noconvert(), "value"_a.noconvert(), "plan"_a.noconvert(),
             "KPIs [16] of one situation under a plan [D * G * 4], tasks/s.");
}

}  // namespace tiertwin::bindings
