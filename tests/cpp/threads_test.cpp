// What runs on several threads, as the bindings run it: nothing is shared but what a header calls immutable or hands
// over. These tests are what ThreadSanitizer looks at (preset debug-tsan); without it they compare with one thread.
#include <doctest/doctest.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "alloc/fair_solver.hpp"
#include "bindings/team.hpp"
#include "draw.hpp"
#include "graph/betweenness.hpp"
#include "graph/cables.hpp"
#include "log_files.hpp"
#include "ring_belief.hpp"
#include "whatif/failures.hpp"
#include "whatif/model.hpp"

namespace threads_test {

using namespace tiertwin;
using tiertwin::bindings::Team;
using tiertwin::tests::Draw;

namespace {

constexpr std::size_t kThreads = 4;

// A ring of 40 nodes with chords.
std::shared_ptr<const Graph> chorded() {
    Draw draw{3};
    GraphBuilder builder(40);
    for (index_t v = 0; v < 40; ++v) builder.add_both({v}, {(v + 1) % 40}, 1.0);
    for (int i = 0; i < 15; ++i) builder.add_both({draw.below(40)}, {draw.below(40)}, 1.5);
    return builder.build();
}

// The group that goes to the disk's thread, and back that it is synced: what a queue does in the runtime.
class Disk {
  public:
    explicit Disk(log::Folder& folder) : folder_(folder), thread_([this] { work(); }) {}
    ~Disk() {
        give(nullptr);
        thread_.join();
    }
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;

    void give(std::shared_ptr<const log::Group> group) {
        {
            const std::lock_guard lock(mutex_);
            given_.push_back(std::move(group));
        }
        changed_.notify_all();
    }
    bool synced() {
        const std::lock_guard lock(mutex_);
        if (done_ == 0) return false;
        --done_;
        return true;
    }

  private:
    void work() {
        while (true) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return !given_.empty(); });
            const std::shared_ptr<const log::Group> group = std::move(given_.front());
            given_.pop_front();
            lock.unlock();
            if (group == nullptr) return;
            log::write(folder_, *group);
            lock.lock();
            ++done_;
        }
    }

    log::Folder& folder_;  // of the thread, until it has joined
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<const log::Group>> given_;
    std::size_t done_ = 0;
    std::thread thread_;
};

}  // namespace

TEST_SUITE_BEGIN("threads");

TEST_CASE("threads: a team does every part once, round after round, and what parts wrote is seen by the caller") {
    Team team(kThreads);
    for (const std::size_t parts : {0U, 1U, 2U, 3U, 7U, 64U}) {
        for (int round = 0; round < 50; ++round) {
            std::vector<int> done(parts, 0);
            team.run(parts, [&](std::size_t i) { done[i] += static_cast<int>(i) + 1; });
            for (std::size_t i = 0; i < parts; ++i) REQUIRE(done[i] == static_cast<int>(i) + 1);
        }
    }
}

TEST_CASE("threads: a team that never worked goes, as does one of one thread") {
    for (int i = 0; i < 20; ++i) const Team idle(kThreads);
    Team alone(1);
    std::thread::id where;
    alone.run(3, [&](std::size_t) { where = std::this_thread::get_id(); });
    CHECK(where == std::this_thread::get_id());
}

TEST_CASE("threads: a sweep over one model is that of one thread, to the bit") {
    const whatif::Model model(tests::ring());
    std::vector<index_t> start{0}, change, part, other;
    std::vector<double> value;
    Draw draw{5};
    for (int s = 0; s < 256; ++s) {
        change.push_back(s % 2 == 0 ? 0 : 3);  // a link down, a server slower
        part.push_back(draw.below(3));
        other.push_back(0);
        value.push_back(s % 2 == 0 ? 0.0 : draw());
        start.push_back(static_cast<index_t>(change.size()));
    }
    const whatif::Situations all{start, change, part, other, value};
    whatif::require_situations(all, model.belief());
    std::vector<double> alone(256 * whatif::kKpis), shared(alone.size());
    whatif::sweep(model, all, whatif::Replan::local, 0, 256, alone);
    Team team(kThreads);
    team.run(16, [&](std::size_t i) {
        whatif::sweep(model, all, whatif::Replan::local, 16 * i, 16 * i + 16,
                      std::span(shared).subspan(16 * i * whatif::kKpis, 16 * whatif::kKpis));
    });
    CHECK(alone == shared);
}

TEST_CASE("threads: a core of failures is shared by ranges, a graph by searches that begin at the same time") {
    const auto graph = chorded();
    const Cables cables(graph);
    const auto count = static_cast<std::size_t>(cables.count());
    const std::vector<double> weight(40, 1.0);
    std::vector<index_t> at(count);
    std::iota(at.begin(), at.end(), 0);
    const Core core(cables, nullptr, std::vector<index_t>{0, 7}, {weight, 1}, {at, {}});
    std::vector<double> alone(count * count), shared(count * count);
    failure_pairs(core, 0, count, alone);
    Team team(kThreads);
    team.run(count, [&](std::size_t i) { failure_pairs(core, i, i + 1, std::span(shared).subspan(i * count, count)); });
    CHECK(alone == shared);

    const auto fresh = chorded();  // its rows of incoming links are made by whoever comes first
    const auto links = static_cast<std::size_t>(fresh->link_count());
    std::array<std::vector<double>, kThreads> node, link;
    std::array<std::size_t, kThreads> incoming{};
    team.run(kThreads, [&](std::size_t i) {
        for (index_t v = 0; v < fresh->node_count(); ++v) incoming[i] += fresh->in_arcs({v}).size();
        node[i].resize(40);
        link[i].resize(links);
        betweenness(*fresh, nullptr, {}, true, node[i], link[i]);
    });
    for (std::size_t i = 0; i < kThreads; ++i) {
        CHECK(incoming[i] == links);
        CHECK(node[i] == node[0]);
        CHECK(link[i] == link[0]);
    }
}

TEST_CASE("threads: a solve in parts is that of one thread, to the bit") {
    Draw draw;
    constexpr index_t kUsers = 26'000;  // two options each: enough for parts
    std::vector<index_t> users{0}, options{0}, resource;
    for (index_t u = 0; u < kUsers; ++u) {
        for (index_t node = 0; node < 2; ++node) {
            resource.insert(resource.end(), {(u + node) % 5, 5 + u % 3});
            options.push_back(static_cast<index_t>(resource.size()));
        }
        users.push_back(static_cast<index_t>(options.size()) - 1);
    }
    const alloc::Options o(users, options, resource, std::vector<double>(resource.size(), 1.0), 8);
    std::vector<double> demand(kUsers), weight(kUsers);
    for (double& d : demand) d = 0.5 + draw();
    for (double& w : weight) w = 0.5 + draw();
    const std::vector<double> alpha(kUsers, 1.0), capacity(8, 3000.0);
    const alloc::FairProblem problem(o, {demand, weight, alpha, capacity});
    const alloc::FairAnswer alone = alloc::FairSolver(o).solve(problem, {}, {.iterations = 3});
    Team team(kThreads);
    const alloc::RunParts run = [&team](std::size_t parts, const std::function<void(std::size_t)>& part) {
        team.run(parts, part);
    };
    const alloc::FairAnswer shared = alloc::FairSolver(o).solve(problem, {}, {.iterations = 3, .run = run});
    CHECK(alone.x == shared.x);
    CHECK(alone.price == shared.price);
}

TEST_CASE("threads: a group of the log is the disk's while the next one fills, and recovery finds what was given") {
    constexpr std::uint64_t kFrames = 2000;
    log::Folder folder;
    log::LogWriter writer(log::config(16U << 10U));
    std::uint64_t next = 1, groups = 0;
    {
        Disk disk(folder);
        while (next <= kFrames || writer.in_flight() || writer.open_records() > 0) {
            if (next <= kFrames) {
                writer.append(0, log::delta(next));
                ++next;
            }
            if (writer.in_flight()) {
                if (disk.synced()) writer.synced();
            } else if (writer.open_records() > 0) {
                disk.give(writer.take());
                ++groups;
            }
            if (next > kFrames) std::this_thread::yield();
        }
    }
    const log::Recovery found = log::recovered(folder);
    REQUIRE(found.action == log::Action::resume);
    CHECK(found.end.position == kFrames);
    CHECK(groups > 1);
}

TEST_SUITE_END();

}  // namespace threads_test
