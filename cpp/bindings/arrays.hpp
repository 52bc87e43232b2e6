// One-dimensional arrays in, fresh arrays out, and overlays of the right graph: what the bindings of graphs share.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/types.hpp"
#include "bindings/common.hpp"
#include "graph/overlay.hpp"

namespace tiertwin::bindings {

using Ints = array_in<index_t>;
using Reals = array_in<double>;

template <typename T>
std::span<const T> vector_in(const array_in<T>& array, const char* name) {
    if (array.ndim() != 1)
        throw InvalidArgument(std::string(name) + ": expected one dimension, got " + std::to_string(array.ndim()));
    return view(array);
}

template <typename T>
py::array_t<T> empty(index_t size) {
    return py::array_t<T>(static_cast<py::ssize_t>(size));
}

template <typename T>
std::span<T> out(py::array_t<T>& array) {
    return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

inline py::array_t<index_t> widen(std::span<const std::int32_t> values) {
    auto array = empty<index_t>(static_cast<index_t>(values.size()));
    std::copy(values.begin(), values.end(), array.mutable_data());
    return array;
}

inline const Overlay* over(const Graph& graph, const Overlay* overlay) {
    if (overlay != nullptr && overlay->graph().get() != &graph)
        throw InvalidArgument("the overlay belongs to another graph; make one with Overlay(graph)");
    return overlay;
}

inline py::array_t<index_t> links_of(const std::vector<LinkId>& path) {
    auto array = empty<index_t>(static_cast<index_t>(path.size()));
    std::ranges::transform(path, array.mutable_data(), &LinkId::value);
    return array;
}

inline py::list lists_of(const std::vector<std::vector<LinkId>>& paths) {
    py::list lists;
    for (const auto& path : paths) lists.append(links_of(path));
    return lists;
}

}  // namespace tiertwin::bindings
