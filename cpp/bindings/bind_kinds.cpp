// Bodies of fixed length: encode_x(fields in wire order, incarnation) -> bytes, decode_x(frame) -> the same fields.
#include "bindings/frames.hpp"
#include "sync/codec.hpp"

namespace tiertwin::bindings {
namespace {

using sync::Kind;

template <typename Body, typename T>
struct Field {
    const char* name;
    T Body::* member;
};

template <typename Body>
Body decoded(const py::object& frame, Kind kind) {
    const FrameBuffer buffer(frame);
    if (require_header(buffer.bytes()).kind != kind) require_ok({sync::Reason::kind, 3});
    Body body;
    sync::Verdict verdict = sync::decode(sync::body_of(buffer.bytes()), body);
    verdict.at += sync::kHeaderBytes;
    require_ok(verdict);
    return body;
}

template <typename Body, typename... T>
void bind_kind(py::module_& m, const std::string& name, Kind kind, Field<Body, T>... fields) {
    m.def(("encode_" + name).c_str(),
          [fields...](T... values, std::uint32_t incarnation) {
              Body body;
              ((body.*fields.member = std::move(values)), ...);
              return to_bytes(sync::encode(body, incarnation));
          },
          py::arg(fields.name)..., "incarnation"_a, "A sealed frame.");
    m.def(("decode_" + name).c_str(),
          [kind, fields...](const py::object& frame) {
              const Body body = decoded<Body>(frame, kind);
              return std::tuple<T...>(body.*fields.member...);
          },
          "frame"_a, "The fields of its body in wire order; every check of header and body is on.");
}

py::list to_python(const std::vector<sync::SolverBlock>& blocks) {
    py::list out;
    for (const sync::SolverBlock& b : blocks) {
        py::object rows = py::none();
        if (!b.dense) rows = fresh(std::span<const std::uint32_t>(b.rows));
        out.append(
            py::make_tuple(b.attribute, std::string(name_of(b.type)), rows, fresh(std::span<const double>(b.values))));
    }
    return out;
}

// [(attribute, type, rows u32[n] | None, values f64[n])]
std::vector<sync::SolverBlock> from_python(const py::list& blocks) {
    std::vector<sync::SolverBlock> out;
    for (const py::handle item : blocks) {
        const auto [attribute, type, rows, values] =
            item.cast<std::tuple<AttributeId, std::string, py::object, array_in<double>>>();
        sync::SolverBlock& block = out.emplace_back();
        block.attribute = attribute;
        block.type = value_type_of(type);
        block.dense = rows.is_none();
        block.values.assign(values.data(), values.data() + values.size());
        if (block.dense) continue;
        const auto row_array = rows.cast<array_in<std::uint32_t>>();
        block.rows.assign(row_array.data(), row_array.data() + row_array.size());
    }
    return out;
}

template <typename Prefix>
py::list solver_blocks(sync::Bytes frame, Kind kind, std::size_t prefix_bytes, Prefix& prefix) {
    const sync::Header header = require_header(frame);
    if (header.kind != kind) require_ok({sync::Reason::kind, 3});
    const sync::Bytes body = sync::body_of(frame);
    sync::Verdict verdict = sync::decode(body, prefix);
    verdict.at += sync::kHeaderBytes;
    require_ok(verdict);
    std::vector<sync::SolverBlock> blocks;
    verdict = sync::decode_solver_blocks(header, body.subspan(prefix_bytes), blocks);
    verdict.at += sync::kHeaderBytes + prefix_bytes;
    require_ok(verdict);
    return to_python(blocks);
}

void bind_solver(py::module_& m) {
    m.def(
        "encode_solve",
        [](std::uint64_t request, std::uint32_t deadline_ms, std::uint16_t problem, std::uint16_t form,
           const std::array<std::uint32_t, 4>& sizes, const py::list& blocks, std::uint32_t incarnation) {
            return to_bytes(sync::encode(sync::SolvePrefix{request, deadline_ms, problem, form, sizes},
                                         from_python(blocks), incarnation));
        },
        "request"_a, "deadline_ms"_a, "problem"_a, "form"_a, "sizes"_a, "blocks"_a, "incarnation"_a,
        "A request; blocks are (attribute, type, rows u32[n] or None, values f64[n]).");
    m.def(
        "decode_solve",
        [](const py::object& frame) {
            const FrameBuffer buffer(frame);
            sync::SolvePrefix p;
            const py::list blocks = solver_blocks(buffer.bytes(), Kind::solve, sync::kSolvePrefixBytes, p);
            return py::make_tuple(p.request, p.deadline_ms, p.problem, p.form, p.sizes, blocks);
        },
        "frame"_a, "(request, deadline_ms, problem, form, sizes, blocks)");
    m.def(
        "encode_solved",
        [](std::uint64_t request, std::uint16_t status, std::uint16_t form, std::uint32_t solve_us,
           const py::list& blocks, std::uint32_t incarnation) {
            return to_bytes(
                sync::encode(sync::SolvedPrefix{request, status, form, solve_us}, from_python(blocks), incarnation));
        },
        "request"_a, "status"_a, "form"_a, "solve_us"_a, "blocks"_a, "incarnation"_a, "An answer of a solver.");
    m.def(
        "decode_solved",
        [](const py::object& frame) {
            const FrameBuffer buffer(frame);
            sync::SolvedPrefix p;
            const py::list blocks = solver_blocks(buffer.bytes(), Kind::solved, sync::kSolvedPrefixBytes, p);
            return py::make_tuple(p.request, p.status, p.form, p.solve_us, blocks);
        },
        "frame"_a, "(request, status, form, solve_us, blocks)");
}

}  // namespace

void bind_kinds(py::module_& m) {
    using namespace sync;  // field lists read like the wire tables
    bind_kind(m, "hello", Kind::hello, Field{"version_min", &Hello::version_min},
              Field{"version_max", &Hello::version_max}, Field{"flags", &Hello::flags},
              Field{"stream_id", &Hello::stream_id}, Field{"first", &Hello::first}, Field{"last", &Hello::last},
              Field{"peer_stream_id", &Hello::peer_stream_id}, Field{"peer_cursor", &Hello::peer_cursor},
              Field{"epoch", &Hello::epoch});
    bind_kind(m, "welcome", Kind::welcome, Field{"version", &Welcome::version}, Field{"mode_up", &Welcome::mode_up},
              Field{"mode_down", &Welcome::mode_down}, Field{"flags", &Welcome::flags},
              Field{"stream_id", &Welcome::stream_id}, Field{"first", &Welcome::first}, Field{"last", &Welcome::last},
              Field{"peer_stream_id", &Welcome::peer_stream_id}, Field{"peer_cursor", &Welcome::peer_cursor},
              Field{"epoch", &Welcome::epoch}, Field{"credit_frames", &Welcome::credit_frames},
              Field{"credit_bytes", &Welcome::credit_bytes}, Field{"heartbeat_ms", &Welcome::heartbeat_ms});
    bind_kind(m, "ack", Kind::ack, Field{"received", &Ack::received}, Field{"durable", &Ack::durable},
              Field{"applied_at_root", &Ack::applied_at_root}, Field{"credit_frames", &Ack::credit_frames},
              Field{"credit_bytes", &Ack::credit_bytes});
    bind_kind(m, "resync", Kind::resync, Field{"cursor", &Resync::cursor}, Field{"reason", &Resync::reason},
              Field{"chunk", &Resync::chunk});
    bind_kind(m, "heartbeat", Kind::heartbeat, Field{"counter", &Heartbeat::counter}, Field{"echo", &Heartbeat::echo},
              Field{"cursor", &Heartbeat::cursor}, Field{"last_number", &Heartbeat::last_number},
              Field{"digest", &Heartbeat::digest}, Field{"epoch", &Heartbeat::epoch},
              Field{"age_ms", &Heartbeat::age_ms}, Field{"state", &Heartbeat::state});
    bind_kind(m, "bye", Kind::bye, Field{"reason", &Bye::reason}, Field{"text", &Bye::text});
    bind_kind(m, "barrier", Kind::barrier, Field{"epoch", &Barrier::epoch});
    bind_solver(m);
}

}  // namespace tiertwin::bindings
