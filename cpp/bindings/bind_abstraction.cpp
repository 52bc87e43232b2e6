// Mergeable summaries: partition, plan, one pass. Convert, call, return.
#include "abstraction/carry.hpp"
#include "abstraction/summarize.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {
namespace {

using abstraction::LogBuckets;
using abstraction::Partition;
using abstraction::PlanEntry;

using Triple = std::tuple<AttributeId, std::string, AttributeId>;

struct SummaryPlan {
    std::vector<PlanEntry> entries;
};

void bind_partition(py::module_& m) {
    py::class_<Partition>(m, "Partition", "Member row -> group row (-1: none); immutable.")
        .def(py::init([](const array_in<std::int64_t>& group_of, index_t groups) {
                 return Partition(view(group_of), groups);
             }),
             "group_of"_a.noconvert(), "groups"_a)
        .def(
            "__deepcopy__", [](const Partition& self, const py::dict&) { return Partition(self); }, "memo"_a)
        .def_property_readonly("rows", &Partition::rows)
        .def_property_readonly("groups", &Partition::groups)
        .def(
            "members",
            [](const Partition& self, index_t group) {
                if (group < 0 || group >= self.groups()) throw py::index_error("no such group");
                return fresh(self.members(group));
            },
            "group"_a, "Rows of a group, u32, ascending.")
        .def(
            "groups_of",
            [](const Partition& self, const array_in<std::uint32_t>& rows) {
                return fresh(std::span<const std::uint32_t>(self.groups_of(view(rows))));
            },
            "rows"_a.noconvert(), "Groups of these rows, u32, ascending, each once.");
}

void bind_plan(py::module_& m) {
    py::class_<SummaryPlan>(m, "SummaryPlan", "What to merge: (source, rule, target) a line; grows by add().")
        .def(py::init([](const std::vector<Triple>& lines) {
                 SummaryPlan plan;
                 for (const auto& [source, rule, target] : lines) {
                     PlanEntry entry;
                     entry.source = source;
                     entry.rule = abstraction::rule_of(rule);
                     entry.target = target;
                     (void)entry.width();  // a histogram needs its range: add()
                     plan.entries.push_back(entry);
                 }
                 return plan;
             }),
             "lines"_a = std::vector<Triple>{})
        .def(
            "__deepcopy__", [](const SummaryPlan& self, const py::dict&) { return SummaryPlan(self); }, "memo"_a)
        .def(
            "add",
            [](SummaryPlan& self, AttributeId source, const std::string& rule, AttributeId target, bool partial,
               std::optional<AttributeId> weight, double low, double high) {
                PlanEntry entry{source, abstraction::rule_of(rule), target, partial, weight, low, high};
                const index_t width = entry.width();
                self.entries.push_back(entry);
                return width;
            },
            "source"_a, "rule"_a, "target"_a, py::kw_only(), "partial"_a = false, "weight"_a = py::none(),
            "low"_a = 0.0, "high"_a = 0.0,
            "Add a line; returns how many attributes it owns from `target` on. `partial`: the source is a summary too.")
        .def("__len__", [](const SummaryPlan& self) { return self.entries.size(); });
}

}  // namespace

void bind_abstraction(py::module_& m) {
    bind_partition(m);
    bind_plan(m);
    py::class_<LogBuckets>(m, "LogBuckets", "Buckets of a log histogram over a fixed range; 1 % relative error.")
        .def(py::init<double, double>(), "low"_a, "high"_a)
        .def_property_readonly("count", &LogBuckets::count)
        .def("index", &LogBuckets::index, "x"_a, "Bucket of x.")
        .def("value", &LogBuckets::value, "bucket"_a, "What a bucket answers with.")
        .def(
            "quantile",
            [](const LogBuckets& self, const array_in<double>& counts, double q) {
                if (counts.size() != self.count()) {
                    throw py::value_error("Expected " + std::to_string(self.count()) +
                                          " counts (one per bucket), got " + std::to_string(counts.size()));
                }
                return self.quantile(view(counts), q);
            },
            "counts"_a.noconvert(), "q"_a, "Quantile q in 0 … 1 (nearest rank); NaN without counts.");
    m.def(
        "summarize",
        [](const StateTable& members, const Partition& partition, const SummaryPlan& plan, StateTable& out, Time now_ns,
           const std::optional<array_in<std::uint32_t>>& dirty, bool deadband) {
            std::optional<std::span<const std::uint32_t>> rows;
            if (dirty) rows = view(*dirty);
            // ~30 us a line at 10 000 rows: keeps the GIL
            return abstraction::summarize(members, partition, plan.entries, out, now_ns, deadband, rows);
        },
        "members"_a, "partition"_a, "plan"_a, "out"_a, "now_ns"_a, "dirty"_a.noconvert() = py::none(),
        "deadband"_a = true, "Merge member rows into the group rows of `out`; returns the cells written.");
    m.def(
        "carry",
        [](const StateTable& source, StateTable& target, const std::vector<AttributeId>& attributes,
           const array_in<std::uint32_t>& source_rows, const array_in<std::uint32_t>& target_rows) {
            return abstraction::carry(source, target, attributes, view(source_rows), view(target_rows));
        },
        "source"_a, "target"_a, "attributes"_a, "source_rows"_a.noconvert(), "target_rows"_a.noconvert(),
        "Copy cells that are finite and later than those in the target's rows; returns the cells written.");
    m.def(
        "declared_bound",
        [](const std::string& rule, index_t members, double deadband, double value) {
            return abstraction::declared_bound(abstraction::rule_of(rule), members, deadband, value);
        },
        "rule"_a, "members"_a, "deadband"_a, "value"_a = 0.0,
        "How far the truth may lie from a summary when every member is within `deadband` of what it reported.");
}

}  // namespace tiertwin::bindings
