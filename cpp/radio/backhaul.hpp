// Rate of a microwave link by adaptive modulation: the densest step that the signal still carries.
//
//   step b (bits a symbol)   needs SNR_b = 3 dB + 10 lg(2^b - 1), rounded to 0.1 dB: the Shannon limit of b bits/s/Hz
//                            and a gap of 3 dB for the code (ours)
//
//   modulation   QPSK  8-PSK 16-QAM 32-QAM 64-QAM 128-QAM 256-QAM 512-QAM 1024-QAM 2048-QAM 4096-QAM
//   bits            2      3      4      5      6       7       8       9       10       11       12
//   SNR, dB       7.8   11.5   14.8   17.9   21.0    24.0    27.1    30.1     33.1     36.1     39.1
//
//   below QPSK   outage, 0 bits
//   rate         in proportion to the bits: a symbol rate that does not change
//
// Down a step at once, when the signal falls below what the step in use needs; up when it is `hysteresis` above what
// the denser step needs, so that a signal at a threshold does not flap.
//
// Units          dB.   Thread safety  pure functions.
#pragma once

namespace tiertwin::radio {

inline constexpr int kLeastBits = 2, kMostBits = 12;

// SNR that a step of 2 ... 12 bits needs, dB; InvalidArgument for others.
[[nodiscard]] double needed_snr(int bits);

// The step after `bits` (0: outage) at `snr`, none denser than `top`. Requires hysteresis >= 0 and known steps;
// InvalidArgument otherwise, and for an SNR that is no number.
[[nodiscard]] int next_step(int bits, double snr, int top, double hysteresis);

}  // namespace tiertwin::radio
