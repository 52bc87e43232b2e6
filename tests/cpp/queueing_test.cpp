#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "queueing/station.hpp"

namespace queueing_test {

using namespace tiertwin;
using doctest::Approx;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
}  // namespace

TEST_CASE("M/M/1: mu = 100/s and lam = 80/s give 50 ms, and 13.53 % stay longer than 100 ms") {
    CHECK(mm1_delay(80, 100) == Approx(0.050));
    CHECK(mm1_tail(80, 100, 0.1) == Approx(0.1353).epsilon(1e-3));
    CHECK(mm1_tail(80, 100, 0) == 1.0);
}

TEST_CASE("Erlang C at 4 servers and 3 erlang is 0.5094; M/M/1 is its case of one server") {
    CHECK(erlang_c(4, 3) == Approx(0.5094).epsilon(1e-4));
    CHECK(erlang_c(1, 0.8) == Approx(0.8));
    CHECK(erlang_c(3, 0) == 0.0);
    CHECK(mmc_delay(80, 100, 1) == Approx(mm1_delay(80, 100)));
    CHECK(erlang_c(100'000, 99'000) > 0);  // no overflow at sizes where a^c/c! has none of the range of a double
}

TEST_CASE("M/G/1 is M/M/1 for exponential and M/D/1 for constant service; Kingman agrees for Poisson arrivals") {
    const double es = 0.01, lam = 80;
    CHECK(mg1_wait(lam, es, 2 * es * es) + es == Approx(mm1_delay(lam, 1 / es)));
    CHECK(md1_wait(lam, es) == Approx(mg1_wait(lam, es, 2 * es * es) / 2));
    CHECK(gg1_wait(lam, es, 1, 1) == Approx(mg1_wait(lam, es, 2 * es * es)));
    CHECK(gg1_wait(lam, es, 1, 0) == Approx(md1_wait(lam, es)));
    CHECK(ps_delay(lam, es) == Approx(mm1_delay(lam, 1 / es)));
}

TEST_CASE("M/M/1/K loses 1/(K+1) at load 1, continuously, and nearly 1 - 1/r far above") {
    CHECK(mm1k_loss(1, 1, 9) == Approx(0.1));
    CHECK(mm1k_loss(1 + 1e-12, 1, 9) == Approx(0.1));
    CHECK(mm1k_loss(1 - 1e-12, 1, 9) == Approx(0.1));
    CHECK(mm1k_loss(4, 1, 1000) == Approx(0.75));
    CHECK(mm1k_loss(0, 1, 3) == 0.0);
    CHECK(mm1k_loss(0.5, 1, 1) == Approx(0.5 / 1.5));
    CHECK(mm1k_delay(80, 100, 1) == Approx(0.01));                          // one place: nobody waits
    CHECK(mm1k_delay(80, 100, 2000) == Approx(mm1_delay(80, 100)));         // many: as without a limit
    CHECK(mm1k_delay(4, 1, 1000) == Approx(1000 - 1.0 / 3).epsilon(1e-9));  // nearly always full
}

TEST_CASE("priority: conservation of work, and equal classes add up to one queue") {
    const std::vector<double> lam{20, 30, 25}, es{0.01, 0.008, 0.012}, es2{0.0002, 0.0001, 0.0003};
    std::vector<double> wait(3);
    priority_wait(lam, es, es2, wait);
    CHECK(wait[0] < wait[1]);
    CHECK(wait[1] < wait[2]);
    double rho = 0, w0 = 0, work = 0;
    for (std::size_t k = 0; k < 3; ++k) {
        rho += lam[k] * es[k];
        w0 += lam[k] * es2[k] / 2;
        work += lam[k] * es[k] * wait[k];
    }
    CHECK(work == Approx(rho * w0 / (1 - rho)));  // Kleinrock's conservation law
}

TEST_CASE("priority above capacity: the first classes live, the critical one takes what is left") {
    const std::vector<double> lam{50, 100, 10}, es{0.01, 0.01, 0.01}, es2{0.0001, 0.0001, 0.0001};
    std::vector<double> wait(3);
    priority_wait(lam, es, es2, wait);
    CHECK(wait[0] == Approx((100 * 0.0001 / 2) / (1 - 0.5)));  // the server is always busy, with 100 jobs/s
    CHECK(wait[1] == kInfinity);
    CHECK(wait[2] == kInfinity);
}

TEST_CASE("at capacity delays are infinite; nonsense is refused") {
    CHECK(mm1_delay(100, 100) == kInfinity);
    CHECK(mm1_tail(100, 100, 1) == 1.0);
    CHECK(mmc_delay(200, 100, 2) == kInfinity);
    CHECK(mg1_wait(1, 1, 1) == kInfinity);
    CHECK(gg1_wait(2, 1, 1, 1) == kInfinity);
    CHECK(ps_delay(1, 1) == kInfinity);
    CHECK(erlang_c(2, 2) == 1.0);
    CHECK_THROWS_AS((void)mm1_delay(-1, 1), InvalidArgument);
    CHECK_THROWS_AS((void)mm1_delay(1, 0), InvalidArgument);
    CHECK_THROWS_AS((void)mm1_delay(kNan, 1), InvalidArgument);
    CHECK_THROWS_AS((void)mm1_tail(1, 2, -1), InvalidArgument);
    CHECK_THROWS_AS((void)erlang_c(0, 0.5), InvalidArgument);
    CHECK_THROWS_AS((void)mm1k_loss(1, 1, 0), InvalidArgument);
    CHECK_THROWS_AS((void)mg1_wait(1, 0.5, 0.1), InvalidArgument);
}

}  // namespace queueing_test
