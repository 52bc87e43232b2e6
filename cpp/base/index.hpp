// Indices: as containers want them, and as messages name them.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>

namespace tiertwin {

// A signed index that has been checked, as containers want it.
template <std::integral I>
constexpr std::size_t at(I index) {
    return static_cast<std::size_t>(index);
}

// "name[index]": the element a message speaks of.
inline std::string element(const char* name, std::size_t index) {
    return std::string(name) + "[" + std::to_string(index) + "]";
}

}  // namespace tiertwin
