#include "bindings/team.hpp"

namespace tiertwin::bindings {

Team::Team(std::size_t threads) {
    for (std::size_t i = 1; i < threads; ++i) others_.emplace_back([this] { work(); });
}

Team::~Team() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    begin_.notify_all();
    for (std::thread& other : others_) other.join();
}

void Team::run(std::size_t parts, const std::function<void(std::size_t)>& part) {
    if (others_.empty() || parts < 2) {
        for (std::size_t i = 0; i < parts; ++i) part(i);
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        part_ = &part;
        parts_ = parts;
        next_ = 0;
        busy_ = others_.size();
        ++round_;
    }
    begin_.notify_all();
    take();
    std::unique_lock lock(mutex_);
    end_.wait(lock, [this] { return busy_ == 0; });
}

void Team::take() {
    for (std::size_t i = next_++; i < parts_; i = next_++) (*part_)(i);
}

void Team::work() {
    std::size_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
        begin_.wait(lock, [&] { return over_ || round_ != seen; });
        if (over_) return;
        seen = round_;
        lock.unlock();
        take();
        lock.lock();
        if (--busy_ == 0) end_.notify_one();
    }
}

}  // namespace tiertwin::bindings
