// Reads a configuration of many arrays out of a dictionary, with exact dtypes and messages that name the field.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

// Takes the fields of a configuration out of a dictionary; what is left over is a mistake.
class Fields {
  public:
    Fields(std::string of, const py::dict& source) : of_(std::move(of)), rest_(source.attr("copy")()) {}

    template <typename T>
    void array(const char* name, std::vector<T>& into) {
        const py::object value = take(name);
        if (!py::isinstance<array_in<T>>(value) || py::array(value).ndim() != 1) {
            refuse(name, "a one-dimensional C-order array of " + py::str(py::dtype::of<T>()).cast<std::string>(),
                   value);
        }
        const auto typed = value.cast<array_in<T>>();
        into.assign(view(typed).begin(), view(typed).end());
    }

    void number(const char* name, double& into) {
        const py::object value = take(name);
        if (PyFloat_Check(value.ptr()) == 0 && PyLong_Check(value.ptr()) == 0) refuse(name, "a number", value);
        into = value.cast<double>();
    }

    void integer(const char* name, std::int64_t& into) {
        const py::object value = take(name);
        if (PyLong_Check(value.ptr()) == 0 || PyBool_Check(value.ptr()) != 0) refuse(name, "a whole number", value);
        int overflow = 0;
        into = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
        if (overflow != 0) {
            throw InvalidArgument(std::string(name) + ": expected a whole number of 64 bits, got " +
                                  py::str(value).cast<std::string>());
        }
    }

    void flag(const char* name, bool& into) {
        const py::object value = take(name);
        if (!py::isinstance<py::bool_>(value)) refuse(name, "True or False", value);
        into = value.cast<bool>();
    }

    void finish() const {
        if (!rest_.empty())
            throw py::type_error(of_ + ": unknown fields " + py::str(py::list(rest_)).cast<std::string>());
    }

  private:
    [[noreturn]] static void refuse(const char* name, const std::string& expected, const py::object& value) {
        throw py::type_error(std::string(name) + ": expected " + expected + ", got " + describe(value));
    }
    py::object take(const char* name) {
        if (!rest_.contains(name)) throw py::type_error(of_ + ": field '" + name + "' is missing");
        return rest_.attr("pop")(name);
    }
    static std::string describe(const py::object& value) {
        if (!py::isinstance<py::array>(value)) return py::str(py::type::of(value)).cast<std::string>();
        const auto got = py::reinterpret_borrow<py::array>(value);
        return py::str(got.dtype()).cast<std::string>() + " with " + std::to_string(got.ndim()) + " dimensions" +
               ((got.flags() & py::array::c_style) ? "" : ", not contiguous");
    }

    std::string of_;  // whose configuration, for messages
    py::dict rest_;
};

}  // namespace tiertwin::bindings
