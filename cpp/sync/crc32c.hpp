// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as in iSCSI (RFC 3720) and the log record of R45.
//
// The best of the machine is chosen at the first call: the SSE4.2 or ARMv8 instruction on three interleaved streams, or
// slicing-by-8 tables. All give the same 32 bits. Check value: crc32c("123456789") = 0xe3069283.
// Thread safety  pure; safe from any thread.
#pragma once

#include <cstdint>
#include <span>

namespace tiertwin::sync {

// `crc` is the result so far, so crc32c(crc32c(0, a), b) == crc32c(0, a + b).
[[nodiscard]] std::uint32_t crc32c(std::uint32_t crc, std::span<const std::uint8_t> data);

// For tests and the benchmark: the tables alone, and whether an instruction is in use.
[[nodiscard]] std::uint32_t crc32c_software(std::uint32_t crc, std::span<const std::uint8_t> data);
[[nodiscard]] bool crc32c_has_instruction();

}  // namespace tiertwin::sync
