// Where there is no libFuzzer: reads a corpus, mutates it by Philox draws, and runs the target; every run repeats.
//
//   log_fuzz FOLDER [--runs N] [--seed S]      the seed and the number of an input that aborts are on standard error
//
// Mutations: flip bits, set bytes and words to edges, copy a part elsewhere, cut, insert, splice two inputs; 1 to 4
// each.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;
using tiertwin::Stream;

std::vector<Input> corpus(const std::string& folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
    std::ranges::sort(paths);
    std::vector<Input> out;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        out.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return out;
}

std::size_t draw(Stream& random, std::size_t below) {
    return below == 0 ? 0 : random.below(static_cast<std::uint32_t>(below));
}

void mutate(Input& input, const std::vector<Input>& all, Stream& random) {
    if (input.empty()) input.push_back(0);
    const std::size_t at = draw(random, input.size());
    const std::size_t run = 1 + draw(random, std::min<std::size_t>(input.size() - at, 64));
    const auto from = input.begin() + static_cast<std::ptrdiff_t>(at);
    switch (random.below(7)) {
        case 0:
            input[at] = static_cast<std::uint8_t>(input[at] ^ (1U << random.below(8)));
            break;
        case 1:
            input[at] = static_cast<std::uint8_t>(random.next_u32());
            break;
        case 2:
            std::fill_n(from, run, random.below(2) == 0 ? std::uint8_t{0} : std::uint8_t{0xff});
            break;
        case 3: {
            const Input part(from, from + static_cast<std::ptrdiff_t>(run));
            const std::size_t to = draw(random, input.size() - run + 1);
            std::ranges::copy(part, input.begin() + static_cast<std::ptrdiff_t>(to));
            break;
        }
        case 4:
            input.resize(at);
            break;
        case 5:
            input.insert(from, run, static_cast<std::uint8_t>(random.next_u32()));
            break;
        default: {
            const Input& other = all[draw(random, all.size())];
            const std::size_t cut = draw(random, other.size() + 1);
            input.resize(std::min(at, cut));
            input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(cut), other.end());
        }
    }
}

}  // namespace

int main(int count, char** words) {
    std::string folder;
    std::uint64_t runs = 100'000, seed = 1;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (word == "--runs" && i + 1 < count) {
            runs = std::strtoull(words[++i], nullptr, 10);
        } else if (word == "--seed" && i + 1 < count) {
            seed = std::strtoull(words[++i], nullptr, 10);
        } else {
            folder = word;
        }
    }
    const std::vector<Input> all = corpus(folder);
    if (all.empty()) {
        std::fprintf(stderr, "no inputs in '%s': expected a folder of the corpus\n", folder.c_str());
        return 2;
    }
    for (const Input& input : all) LLVMFuzzerTestOneInput(input.data(), input.size());
    for (std::uint64_t run = 0; run < runs; ++run) {
        Stream random(seed, run, 5);
        Input input = all[draw(random, all.size())];
        for (std::uint32_t k = 1 + random.below(4); k > 0; --k) mutate(input, all, random);
        if (run % 65'536 == 0)
            std::fprintf(stderr, "seed %llu run %llu\n", static_cast<unsigned long long>(seed),
                         static_cast<unsigned long long>(run));
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    std::printf("%llu runs over %zu inputs\n", static_cast<unsigned long long>(runs), all.size());
    return 0;
}
