#include "state/digest.hpp"

namespace tiertwin {

std::uint64_t bytes_bits(std::string_view text) {
    std::uint64_t h = 0;
    for (std::size_t at = 0; at < text.size(); at += 8) {
        std::uint64_t word = 0;
        for (std::size_t k = 0; k < 8 && at + k < text.size(); ++k) {
            word |= std::uint64_t{static_cast<std::uint8_t>(text[at + k])} << (8 * k);
        }
        h = mix64(h ^ word);
    }
    return mix64(h ^ text.size());
}

}  // namespace tiertwin
