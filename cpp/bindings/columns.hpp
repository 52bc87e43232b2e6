// Shapes of arrays of users and of their cells, and outputs to be filled.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

// Of an array that other threads might change while the GIL is free.
template <typename Array>
[[nodiscard]] std::vector<typename Array::value_type> copied(const Array& array) {
    return {array.data(), array.data() + array.size()};
}

// One-dimensional, of one length: a user (or cell, or place) each.
template <typename... Arrays>
void expect_columns(const char* what, py::ssize_t size, const Arrays&... arrays) {
    if (((arrays.ndim() == 1 && arrays.size() == size) && ...)) return;
    std::string came;
    (..., (came += (came.empty() ? "" : ", ") + std::to_string(arrays.ndim()) + "-d " + std::to_string(arrays.size())));
    throw InvalidArgument(std::string(what) + ": expected one-dimensional arrays of length " + std::to_string(size) +
                          ", got " + came);
}

template <typename T>
std::span<T> whole(py::array_t<T>& out) {
    return {out.mutable_data(), static_cast<std::size_t>(out.size())};
}

}  // namespace tiertwin::bindings
