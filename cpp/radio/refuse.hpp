// How a user's input is refused.
#pragma once

#include <string>

#include "base/error.hpp"

namespace tiertwin::radio {

[[noreturn]] inline void refuse(std::size_t user, const std::string& wanted, const std::string& came) {
    throw InvalidArgument("user " + std::to_string(user) + ": expected " + wanted + ", got " + came);
}

}  // namespace tiertwin::radio
