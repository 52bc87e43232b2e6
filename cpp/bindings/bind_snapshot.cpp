// Snapshots: a whole stream out and in. Convert, call, return.
#include "bindings/frames.hpp"
#include "sync/snapshot.hpp"

namespace tiertwin::bindings {
namespace {

template <typename T>
std::vector<T*> pointers(const std::vector<StateTable*>& tables) {
    return {tables.begin(), tables.end()};
}

}  // namespace

void bind_snapshot(py::module_& m) {
    m.def(
        "encode_snapshot",
        [](const std::vector<StateTable*>& tables, std::uint64_t as_of, std::uint32_t incarnation,
           const std::optional<LeaseTuple>& lease, std::size_t max_bytes) {
            const auto list = pointers<const StateTable>(tables);
            return bindings::to_list(sync::encode_snapshot(list, as_of, incarnation, to_lease(lease), max_bytes));
        },
        "tables"_a, "as_of"_a, "incarnation"_a, "lease"_a = py::none(), "max_bytes"_a = sync::kCutBytes,
        "All tables of a stream in chunks; nothing may be pending.");
    m.def(
        "stream_digest",
        [](const std::vector<StateTable*>& tables) { return sync::stream_digest(pointers<const StateTable>(tables)); },
        "tables"_a, "Sum of the tables' digests modulo 2^64.");
    py::class_<sync::SnapshotStage>(m, "SnapshotStage", "Chunks on their way in; the tables change in commit() only.")
        .def(py::init([](const std::vector<StateTable*>& tables) {
                 return sync::SnapshotStage(pointers<const StateTable>(tables));
             }),
             "tables"_a)
        .def(
            "add",
            [](sync::SnapshotStage& self, const py::object& frame) {
                const FrameBuffer buffer(frame);
                require_ok(self.add(require_header(buffer.bytes()), buffer.bytes()));
                return self.complete();
            },
            "frame"_a, "Stage the expected chunk; True with the last one, whose digest agreed.")
        .def(
            "commit", [](sync::SnapshotStage& self, const std::vector<StateTable*>& tables) { self.commit(tables); },
            "tables"_a, "Swap all staged tables in.")
        .def_property_readonly("expected", &sync::SnapshotStage::expected)
        .def_property_readonly("as_of", &sync::SnapshotStage::as_of)
        .def_property_readonly("lease", [](const sync::SnapshotStage& self) { return from_lease(self.lease()); });
}

}  // namespace tiertwin::bindings
