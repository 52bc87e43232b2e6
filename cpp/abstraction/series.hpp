// The last N samples of many series, each also kept in ascending order: what entropy, ranks and regressions read.
//
//   push      one value a series at the same instant; NaN: not seen. In a full window the oldest sample falls out.
//   values    of a series in time order, contiguous (the ring is written twice, N apart)
//   order     its places in time, ascending by (value, time), unseen ones left out: scores sort nothing
//
// Range    4 <= N <= 60 000 (ranks are kept in 16 bits where it counts). Infinite values are refused, nothing changes.
// Costs    a push: O(log N) comparisons and a move of up to 4 N bytes a series. Memory: 20 N bytes a series, for ever.
// Thread   one thread owns it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::abstraction {

// A window of one series as the kernels read it. `order` are the places with a value, ascending by (value, place).
struct SeriesView {
    std::span<const double> values;
    std::span<const std::int32_t> order;

    [[nodiscard]] std::size_t size() const { return values.size(); }
    [[nodiscard]] bool complete() const { return order.size() == values.size(); }
    [[nodiscard]] bool constant() const {
        return order.empty() ||
               values[static_cast<std::size_t>(order.front())] == values[static_cast<std::size_t>(order.back())];
    }
};

inline constexpr index_t kLeastWindow = 4, kMostWindow = 60'000;

// The places of the seen values of `values`, ascending by (value, place). InvalidArgument: an infinite one.
void order_of(std::span<const double> values, std::vector<std::int32_t>& order);

class SeriesSet {
  public:
    SeriesSet(index_t series, index_t window);  // InvalidArgument

    // One value a series. InvalidArgument: another count, an infinite value.
    void push(std::span<const double> values);

    [[nodiscard]] index_t series() const { return series_; }
    [[nodiscard]] index_t window() const { return static_cast<index_t>(window_); }
    [[nodiscard]] index_t length() const { return static_cast<index_t>(length_); }  // samples held, <= window
    [[nodiscard]] bool full() const { return length_ == window_; }
    [[nodiscard]] std::span<const double> values(index_t series) const;
    // `order` is filled and viewed; it must outlive the view.
    [[nodiscard]] SeriesView view(index_t series, std::vector<std::int32_t>& order) const;

  private:
    [[nodiscard]] std::size_t head() const { return full() ? next_ : 0; }  // the oldest sample's slot
    void forget(std::size_t series);
    void keep(std::size_t series, double value);

    index_t series_;
    std::size_t window_, length_ = 0, next_ = 0;
    std::vector<double> ring_;           // series × 2 window
    std::vector<std::uint32_t> sorted_;  // series × window: slots by (value, time)
    std::vector<std::size_t> seen_;      // by series
};

}  // namespace tiertwin::abstraction
