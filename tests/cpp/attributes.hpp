// Attributes of tests: a1, a2, …, gauges that add up.
#pragma once

#include <limits>
#include <string>

#include "state/attribute.hpp"

namespace tiertwin::tests {

inline Attribute attribute(AttributeId id, ValueType type = ValueType::f64,
                           double low = -std::numeric_limits<double>::infinity(),
                           double high = std::numeric_limits<double>::infinity()) {
    Attribute a;
    a.id = id;
    a.name.append("a").append(std::to_string(id));  // "a" + … trips GCC 12 (bug 105329)
    a.kind = "gauge";
    a.merge = "sum";
    a.type = type;
    a.low = low;
    a.high = high;
    return a;
}

}  // namespace tiertwin::tests
