// Writes the corpus of frame_fuzz: `frame_corpus FOLDER`. A child and its parent talk, and each side's frames of every
// kind become inputs: alone, as the whole talk, as they were and to be put right first, with a session and without.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "../cpp/peer_pair.hpp"
#include "sync/codec.hpp"
#include "sync/codec_bytes.hpp"

using namespace tiertwin;
using namespace tiertwin::sync;

namespace {

struct Said {
    bool to_child;
    Frame frame;
};

void talk(Pair& p, bool to_child, const std::vector<Frame>& frames, std::vector<Said>& said) {
    std::deque<Said> flying;
    for (const Frame& f : frames) flying.push_back({to_child, f});
    while (!flying.empty()) {
        Said next = flying.front();
        flying.pop_front();
        for (const Frame& f : p.deliver(next.to_child, next.frame).reply) flying.push_back({!next.to_child, f});
        said.push_back(std::move(next));
    }
}

std::vector<Said> conversation() {
    Pair p;
    std::vector<Said> said;
    for (std::uint32_t row = 0; row < 4; ++row) p.write(p.up, row, 0.5 * row);
    talk(p, false, p.child.connect(p.now), said);
    for (int step = 0; step < 6; ++step) {
        p.now += 50 * kMs;
        p.write(p.up, static_cast<std::uint32_t>(step), 1.0 + step);
        p.write(p.down, static_cast<std::uint32_t>(7 * step), -step);
        talk(p, false, p.child.publish(p.now), said);
        talk(p, true, p.parent.publish(p.now), said);
        talk(p, false, p.child.send_unit(kCut, unit_of(step, 8, p.now), std::nullopt, p.now), said);
        talk(p, true, p.parent.send_unit(kQuery, unit_of(step, 2, p.now), std::nullopt, p.now), said);
        const LeaseTerms terms{.base_epoch = static_cast<std::uint32_t>(step), .basis_version = 1, .validity_ms = 1000};
        talk(p, true, p.parent.send_unit(kBudget, unit_of(step, 3, p.now), terms, p.now), said);
        talk(p, step % 2 == 0, (step % 2 == 0 ? p.parent : p.child).barrier(static_cast<std::uint64_t>(step)), said);
        talk(p, false, p.child.tick(p.now).reply, said);
        talk(p, true, p.parent.tick(p.now).reply, said);
    }
    said.push_back({false, encode(Resync{.cursor = 1, .reason = 3, .chunk = 0}, 1)});
    const std::vector<SolverBlock> blocks{{.attribute = 1, .rows = {}, .values = {1.0, 2.0}}};
    said.push_back({false, encode(SolvePrefix{}, blocks, 1)});
    said.push_back({true, encode(SolvedPrefix{}, blocks, 1)});
    talk(p, true, p.parent.bye(1, "leave", p.now), said);
    return said;
}

void write(const std::string& folder, const std::string& name, std::uint8_t flags, const std::vector<Frame>& frames) {
    std::ofstream file(folder + "/" + name, std::ios::binary);
    file.put(static_cast<char>(flags));
    for (const Frame& frame : frames) {
        std::uint8_t length[2];
        store(length, static_cast<std::uint16_t>(frame.size()));
        file.write(reinterpret_cast<const char*>(length), 2);
        file.write(reinterpret_cast<const char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
    }
}

}  // namespace

int main(int count, char** words) {
    if (count != 2) {
        std::fprintf(stderr, "usage: frame_corpus FOLDER\n");
        return 2;
    }
    const std::string folder = words[1];
    std::vector<Frame> whole[2];
    std::vector<std::string> seen;
    for (const Said& one : conversation()) {
        if (one.frame.size() > 4096) continue;
        whole[one.to_child ? 1 : 0].push_back(one.frame);
        Header header;
        (void)decode_header(one.frame, header);
        const std::string name = std::string(one.to_child ? "down-" : "up-") + std::string(name_of(header.kind)) + "-" +
                                 std::to_string(header.table);
        if (std::ranges::find(seen, name) != seen.end()) continue;
        seen.push_back(name);
        const auto side = static_cast<std::uint8_t>(one.to_child ? 1 : 0);
        write(folder, name, side | 4U, {one.frame});
        write(folder, name + "-repaired", side | 6U, {one.frame});
    }
    for (const std::uint8_t side : {std::uint8_t{0}, std::uint8_t{1}}) {
        const auto& frames = whole[side];
        const std::string name = side == 0 ? "talk-up" : "talk-down";
        const std::vector<Frame> begin(frames.begin(),
                                       frames.begin() + std::min<std::ptrdiff_t>(8, std::ssize(frames)));
        write(folder, name, side, begin);
        write(folder, name + "-repaired", side | 2U, begin);
    }
    return 0;
}
