// A function of numbers applied to arrays, place by place.
#pragma once

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

// f applied place by place. An error names the place.
// Every array is one-dimensional and of the same length, or of length 1 (used for all).
template <typename F, typename... Arrays>
py::array_t<double> each(F f, const Arrays&... arrays) {
    const py::ssize_t size = std::max({arrays.size()...});
    const bool shaped = ((arrays.ndim() == 1 && (arrays.size() == size || arrays.size() == 1)) && ...);
    if (!shaped || (... || (arrays.size() == 0 && size > 0))) {
        std::string came;
        (..., (came += (came.empty() ? "" : ", ") + std::to_string(arrays.size())));
        throw InvalidArgument("expected one-dimensional arrays of one length (or length 1), got sizes " + came);
    }
    py::array_t<double> result(size);
    double* const out = result.mutable_data();
    for (py::ssize_t i = 0; i < size; ++i) {
        try {
            out[i] = f(arrays.data()[arrays.size() == 1 ? 0 : i]...);
        } catch (const InvalidArgument& error) {
            throw InvalidArgument("at index " + std::to_string(i) + ": " + error.what());
        }
    }
    return result;
}

}  // namespace tiertwin::bindings
