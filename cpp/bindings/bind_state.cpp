// Attribute registry and state table. Convert, call, return.
#include <cstring>

#include "base/error.hpp"
#include "bindings/common.hpp"
#include "state/table.hpp"

namespace tiertwin::bindings {
namespace {

template <typename T>
using out_array = py::array_t<T, py::array::c_style>;

// A view of a one-block column keeps that block alive: the next write copies the block, so the view goes stale, never
// dangling. More blocks, or none yet: a fresh array.
template <typename T, typename Get, typename Copy>
py::array column_of(const StateTable& table, AttributeId attribute, Get get, Copy copy) {
    const Column* column = table.find(attribute);
    if (column != nullptr && column->block_count() == 1 && column->block(0) != nullptr) {
        auto* shared = new std::shared_ptr<const Block>(column->share(0));
        const py::capsule owner(shared, [](void* p) { delete static_cast<std::shared_ptr<const Block>*>(p); });
        py::array_t<T> view({(*shared)->rows()}, {static_cast<py::ssize_t>(sizeof(T))}, get(**shared), owner);
        view.attr("setflags")("write"_a = false);
        return view;
    }
    out_array<T> fresh_copy(table.rows());
    copy(std::span<T>(fresh_copy.mutable_data(), static_cast<std::size_t>(table.rows())));
    fresh_copy.attr("setflags")("write"_a = false);
    return fresh_copy;
}

py::object bytes_of(const StateTable& table, AttributeId attribute, index_t row) {
    const BytesCell* cell = table.bytes(attribute, row);
    if (cell == nullptr) return py::none();
    return py::bytes(cell->value);
}

void bind_registry(py::module_& m) {
    py::class_<Attribute>(m, "Attribute", "One definition of a registry; read-only.")
        .def_readonly("id", &Attribute::id)
        .def_readonly("name", &Attribute::name)
        .def_readonly("unit", &Attribute::unit)
        .def_readonly("kind", &Attribute::kind)
        .def_property_readonly("type", [](const Attribute& a) { return std::string(name_of(a.type)); })
        .def_readonly("merge", &Attribute::merge)
        .def_readonly("low", &Attribute::low)
        .def_readonly("high", &Attribute::high)
        .def_readonly("max_age_ms", &Attribute::max_age_ms)
        .def_readonly("deadband", &Attribute::deadband)
        .def_readonly("resolution", &Attribute::resolution)
        .def_readonly("privacy", &Attribute::privacy)
        .def_readonly("extension", &Attribute::extension);

    py::class_<AttributeRegistry>(m, "AttributeRegistry", "Definitions of attributes; additive.")
        .def(py::init<>())
        .def(
            "add",
            [](AttributeRegistry& self, AttributeId id, std::string name, std::string unit, std::string kind,
               const std::string& type, std::string merge, double low, double high, std::int64_t max_age_ms,
               double deadband, double resolution, int privacy, bool extension) {
                self.add({id, std::move(name), std::move(unit), std::move(kind), value_type_of(type), std::move(merge),
                          low, high, max_age_ms, deadband, resolution, privacy, extension});
            },
            "id"_a, "name"_a, "unit"_a, "kind"_a, "type"_a, "merge"_a, "low"_a, "high"_a, "max_age_ms"_a,
            "deadband"_a = 0.0, "resolution"_a = 0.0, "privacy"_a = 0, "extension"_a = false,
            "Define an attribute; ids and names are taken once.")
        .def("get", py::overload_cast<AttributeId>(&AttributeRegistry::get, py::const_), "id"_a,
             py::return_value_policy::copy, "Definition by id.")
        .def("get", py::overload_cast<std::string_view>(&AttributeRegistry::get, py::const_), "name"_a,
             py::return_value_policy::copy, "Definition by name.")
        .def("ids", &AttributeRegistry::ids, "Ids, ascending.")
        .def("names", &AttributeRegistry::names, "Names in the order of ids().")
        .def("fingerprint", &AttributeRegistry::fingerprint, "64-bit hash of all definitions but extensions.")
        .def("__len__", [](const AttributeRegistry& self) { return self.ids().size(); });
}

void bind_table_reads(py::class_<StateTable>& table) {
    table
        .def(
            "column",
            [](const StateTable& self, AttributeId attribute) {
                return column_of<double>(
                    self, attribute, [](const Block& b) { return b.values(); },
                    [&](std::span<double> out) { self.copy_values(attribute, out); });
            },
            "attribute"_a, "Values, f64[rows], read-only: a view up to 128 rows, else a copy; NaN where unwritten.")
        .def(
            "times",
            [](const StateTable& self, AttributeId attribute) {
                return column_of<Time>(
                    self, attribute, [](const Block& b) { return b.times(); },
                    [&](std::span<Time> out) { self.copy_times(attribute, out); });
            },
            "attribute"_a, "Sample times, i64[rows] ns, read-only; -2^63 where unwritten.")
        .def(
            "numbers",
            [](const StateTable& self, AttributeId attribute) {
                return column_of<std::uint64_t>(
                    self, attribute, [](const Block& b) { return b.numbers(); },
                    [&](std::span<std::uint64_t> out) { self.copy_numbers(attribute, out); });
            },
            "attribute"_a, "Stream numbers, u64[rows], read-only; 0 where not numbered.")
        .def("oldest", &StateTable::oldest, "attribute"_a, "after_ns"_a,
             "Earliest sample time later than `after_ns`, ns; -2^63: there is none.")
        .def("get_bytes", &bytes_of, "attribute"_a, "row"_a, "A bytes cell, or None where unwritten.")
        .def("digest", &StateTable::digest, "Sum of cell hashes modulo 2^64 (R14); pending cells count as last sent.")
        .def("equal", &StateTable::equal, "other"_a, "Same table id, rows and cells; numbers may differ.")
        .def("opaque", &StateTable::opaque, "Ids of unknown attributes carried along.")
        .def(
            "attribute",
            [](const StateTable& self, AttributeId attribute) {
                const Column* column = self.find(attribute);
                if (column == nullptr)
                    throw NotFound("attribute " + std::to_string(attribute) + " is not in this table");
                return column->attribute();
            },
            "attribute"_a, "Its definition; of an unknown attribute what the wire told: its type.")
        .def("fingerprint", &StateTable::fingerprint, "64-bit hash of table id, rows and schema; in every frame.")
        .def_property_readonly("attributes", &StateTable::attributes)
        .def_property_readonly("rows", &StateTable::rows)
        .def_property_readonly("table_id", &StateTable::table_id)
        .def_property_readonly("dirty_count", &StateTable::dirty_count);
}

void bind_table_writes(py::class_<StateTable>& table) {
    table
        .def(
            "set",
            [](StateTable& self, AttributeId attribute, const array_in<std::uint32_t>& rows,
               const array_in<double>& values, Time time_ns,
               bool deadband) { return self.set(attribute, view(rows), view(values), time_ns, deadband); },
            "attribute"_a, "rows"_a.noconvert(), "values"_a.noconvert(), "time_ns"_a, "deadband"_a = false,
            "Write cells locally; they stay pending until encoded. Returns how many were written.")
        .def(
            "set",
            [](StateTable& self, AttributeId attribute, const array_in<std::uint32_t>& rows,
               const array_in<double>& values, const array_in<Time>& times_ns,
               bool deadband) { return self.set(attribute, view(rows), view(values), view(times_ns), deadband); },
            "attribute"_a, "rows"_a.noconvert(), "values"_a.noconvert(), "times_ns"_a.noconvert(), "deadband"_a = false,
            "The same with a time for each row.")
        .def(
            "set_rows",
            [](StateTable& self, const std::vector<AttributeId>& attributes, const array_in<std::uint32_t>& rows,
               const array_in<double>& values, const array_in<Time>& times_ns) {
                return self.set_rows(attributes, view(rows), view(values), view(times_ns));
            },
            "attributes"_a, "rows"_a.noconvert(), "values"_a.noconvert(), "times_ns"_a.noconvert(),
            "Write several attributes of the same rows, values f64[rows, attributes]; NaN is left out; all or nothing.")
        .def(
            "put",
            [](StateTable& self, AttributeId attribute, std::uint32_t row, double value, Time time_ns) {
                self.set(attribute, std::span(&row, 1), std::span(&value, 1), time_ns);
            },
            "attribute"_a, "row"_a, "value"_a, "time_ns"_a,
            "Write one cell locally; until it is encoded, a later write to it replaces this one.")
        .def(
            "set_bytes",
            [](StateTable& self, AttributeId attribute, std::uint32_t row, const py::bytes& value, Time time_ns) {
                self.set_bytes(attribute, row, std::string_view(value), time_ns);
            },
            "attribute"_a, "row"_a, "value"_a, "time_ns"_a, "Write one bytes cell (at most 1024 bytes) locally.")
        .def(
            "add_opaque",
            [](StateTable& self, AttributeId attribute, const std::string& type) {
                self.add_opaque(attribute, value_type_of(type));
            },
            "attribute"_a, "type"_a, "Make room for an unknown attribute that is passed on.")
        .def("settle", &StateTable::settle, "first"_a, "Number all pending cells from `first` on, without a frame.")
        .def("fork", &StateTable::fork, "A table of its own that shares blocks until one side writes.")
        .def("__deepcopy__", [](const StateTable& self, const py::dict&) { return self.fork(); }, "memo"_a);
}

}  // namespace

void bind_state(py::module_& m) {
    bind_registry(m);
    py::class_<StateTable> table(m, "StateTable", "Rows x attributes in blocks shared with forks; one thread owns it.");
    table.def(py::init<const AttributeRegistry&, std::uint16_t, const std::vector<AttributeId>&, index_t>(),
              "registry"_a, "table_id"_a, "attributes"_a, "rows"_a);
    bind_table_reads(table);
    bind_table_writes(table);
}

}  // namespace tiertwin::bindings
