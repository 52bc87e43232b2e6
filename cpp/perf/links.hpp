// The state of every link in one network evaluation: loads, the factors R of model.hpp, losses, waits.
//
// Thread safety  one thread owns it.   Used by model.cpp.
#pragma once

#include <vector>

#include "perf/config.hpp"
#include "perf/finite.hpp"
#include "perf/streams.hpp"

namespace tiertwin::perf {

struct Sums {
    double pps = 0, bytes = 0, bytes2 = 0, bytes3 = 0;  // packets/s and sums of pps * E[size^k]
};

struct LinkState {
    Sums sums;
    double capacity = 0;            // bytes/s
    double rho = 0;                 // offered
    double spread = 0;              // V, s, with arrivals that are not Poisson
    double burst_share = 0;         // of V, what those add, signed
    double idle = 0;                // 1 - rho, more with a finite buffer
    double varied = 0;              // v
    double same = 0, smoothed = 0;  // A, and the last term of R
    double factor = 1;              // mean of R over packets
    double loss = 0;
    double served = 0;  // share of the offered rate that goes on
    double flows = 0;   // effective number: (sum of loads)^2 / sum of loads^2

    [[nodiscard]] double carried() const { return rho * served; }
};

class Links {
  public:
    Links(const Streams& streams, const Traffic& traffic, const Coefficients& coefficients,
          const std::vector<double>& log_factor);

    // Rates, factors and losses that agree with each other.
    void settle();

    [[nodiscard]] const std::vector<LinkState>& links() const { return links_; }
    [[nodiscard]] double rate(std::size_t hop) const { return rate_[hop]; }        // packets/s offered there
    [[nodiscard]] double factor(std::size_t hop) const { return factor_[hop]; }    // R
    [[nodiscard]] double largest(std::size_t hop) const { return largest_[hop]; }  // R of packets of the largest size
    // One standard deviation of what is wrong with R, besides a share of R itself.
    [[nodiscard]] double doubt(std::size_t hop) const { return doubt_[hop]; }

  private:
    void load();
    void add_bursts();
    void find_own();
    void find_smoothing();
    void find_factors();
    [[nodiscard]] double idle(std::size_t l) const;
    [[nodiscard]] double lose(double pace);  // returns the largest change of a served share

    const Streams& s_;
    const Traffic& t_;
    const Coefficients& c_;
    const std::vector<double>& log_factor_;
    bool bursty_ = false;
    std::vector<LinkState> links_;
    std::vector<double> rate_, factor_, largest_, doubt_, largest_of_stream_, own_of_stream_, own_of_strand_,
        own_of_thread_;
    std::vector<Sums> streams_sums_;
    std::vector<double> strand_bytes2_, thread_bytes2_;
};

}  // namespace tiertwin::perf
