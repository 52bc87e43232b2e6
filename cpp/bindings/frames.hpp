// Frames at the border: a borrowed buffer for the length of a call, and a refusal that carries its reason.
#pragma once

#include <optional>
#include <string>
#include <tuple>

#include "bindings/common.hpp"
#include "sync/kinds.hpp"

namespace tiertwin::bindings {

// Any contiguous object with the buffer protocol, read in place; nothing of it is kept after the call.
class FrameBuffer {
  public:
    explicit FrameBuffer(const py::handle& object) {
        if (PyObject_GetBuffer(object.ptr(), &buffer_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
    }
    FrameBuffer(const FrameBuffer&) = delete;
    FrameBuffer& operator=(const FrameBuffer&) = delete;
    ~FrameBuffer() { PyBuffer_Release(&buffer_); }

    [[nodiscard]] sync::Bytes bytes() const {
        return {static_cast<const std::uint8_t*>(buffer_.buf), static_cast<std::size_t>(buffer_.len)};
    }

  private:
    Py_buffer buffer_{};
};

inline py::bytes to_bytes(const sync::Frame& frame) {
    return {reinterpret_cast<const char*>(frame.data()), frame.size()};
}

inline py::list to_list(const std::vector<sync::Frame>& frames) {
    py::list out;
    for (const sync::Frame& frame : frames) out.append(to_bytes(frame));
    return out;
}

// Raises _core.CoreRefusedError with `.reason` (a value of REASONS) and `.at` (byte offset in the frame).
inline void require_ok(const sync::Verdict& verdict) {
    if (verdict.ok()) return;
    const py::object type = py::module_::import("tiertwin._core").attr("CoreRefusedError");
    const std::string text =
        "frame refused at byte " + std::to_string(verdict.at) + ": " + std::string(sync::name_of(verdict.reason));
    py::object error = type(text);
    error.attr("reason") = static_cast<int>(verdict.reason);
    error.attr("at") = verdict.at;
    PyErr_SetObject(type.ptr(), error.ptr());
    throw py::error_already_set();
}

inline sync::Header require_header(sync::Bytes frame) {
    sync::Header header;
    require_ok(sync::decode_header(frame, header));
    return header;
}

// (epoch, basis_version, validity_ms, age_ms, echo, flags)
using LeaseTuple = std::tuple<std::uint64_t, std::uint64_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;

inline std::optional<sync::Lease> to_lease(const std::optional<LeaseTuple>& t) {
    if (!t) return std::nullopt;
    return std::make_from_tuple<sync::Lease>(*t);
}

inline py::object from_lease(const std::optional<sync::Lease>& l) {
    if (!l) return py::none();
    return py::make_tuple(l->epoch, l->basis_version, l->validity_ms, l->age_ms, l->echo, l->flags);
}

}  // namespace tiertwin::bindings
