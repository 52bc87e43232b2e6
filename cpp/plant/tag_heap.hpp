// Tasks by the tag at which they leave: a binary min-heap. Equal tags leave in the order they came.
//
// Costs      O(log tasks) to push and pop; no allocation once it has seen its longest queue.
#pragma once

#include <cstdint>
#include <vector>

#include "plant/task.hpp"

namespace tiertwin::plant {

class TagHeap {
  public:
    struct Entry {
        double key;
        std::uint32_t order;  // of joining; wraps after 2^32 joins, where only ties could notice
        TaskId task;
    };

    [[nodiscard]] bool empty() const { return heap_.empty(); }
    [[nodiscard]] std::size_t size() const { return heap_.size(); }
    [[nodiscard]] const Entry& front() const { return heap_.front(); }
    void push(Entry entry);
    void pop();

    // Moves every task to the end of `into`, in heap order.
    void drain(std::vector<TaskId>& into) {
        for (const Entry& entry : heap_) into.push_back(entry.task);
        heap_.clear();
    }

  private:
    [[nodiscard]] static bool before(const Entry& a, const Entry& b) {
        return a.key < b.key || (a.key == b.key && static_cast<std::int32_t>(a.order - b.order) < 0);
    }

    std::vector<Entry> heap_;
};

inline void TagHeap::push(Entry entry) {
    std::size_t hole = heap_.size();
    heap_.push_back(entry);
    while (hole > 0) {
        const std::size_t parent = (hole - 1) / 2;
        if (!before(entry, heap_[parent])) break;
        heap_[hole] = heap_[parent];
        hole = parent;
    }
    heap_[hole] = entry;
}

inline void TagHeap::pop() {
    const Entry last = heap_.back();
    heap_.pop_back();
    const std::size_t size = heap_.size();
    if (size == 0) return;
    std::size_t hole = 0;
    for (std::size_t child = 1; child < size; child = 2 * hole + 1) {
        if (child + 1 < size && before(heap_[child + 1], heap_[child])) ++child;
        if (!before(heap_[child], last)) break;
        heap_[hole] = heap_[child];
        hole = child;
    }
    heap_[hole] = last;
}

}  // namespace tiertwin::plant
