#include "log/layout.hpp"

#include <array>
#include <cstring>

#include "base/error.hpp"
#include "sync/codec_bytes.hpp"
#include "sync/crc32c.hpp"

namespace tiertwin::log {
namespace {

using sync::crc32c;
using sync::load;
using sync::store;

constexpr std::size_t kNameAt = 80, kNameField = 64, kZeroAt = 144, kCrcAt = 148;
constexpr std::array<std::uint8_t, 4> kSegmentMagic{0x54, 0x57, 0x4c, 0x47};   // TWLG
constexpr std::array<std::uint8_t, 4> kSnapshotMagic{0x54, 0x57, 0x53, 0x4e};  // TWSN

bool is_node_name(std::string_view name) {
    if (name.empty() || name.size() > kNodeNameBytes || name.front() == '-') return false;
    for (const char c : name) {
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    }
    return true;
}

bool fields_fit(const FileHeader& h) {
    const bool segment = h.kind == FileKind::segment;
    return h.next_number >= 1 && h.sequence >= 1 && h.drained <= h.spilled && h.bytes >= kFileHeaderBytes &&
           h.bytes % 8 == 0 && (!segment || h.cursors == 0) && (h.position != 0 || h.chain == 0);
}

const std::array<std::uint8_t, 4>& magic_of(FileKind kind) {
    return kind == FileKind::segment ? kSegmentMagic : kSnapshotMagic;
}

std::uint32_t place_of(std::uint32_t file_crc, std::uint64_t offset, const std::uint8_t* link) {
    std::array<std::uint8_t, 24> bytes{};
    store(bytes.data(), file_crc);
    store(bytes.data() + 4, offset);
    std::memcpy(bytes.data() + 12, link, 12);
    return crc32c(0, bytes);
}

std::uint32_t chain_over(std::uint32_t before, const std::uint8_t* link, std::uint32_t frame_crc) {
    std::array<std::uint8_t, 16> bytes{};
    store(bytes.data(), before);
    std::memcpy(bytes.data() + 4, link, 8);
    store(bytes.data() + 12, frame_crc);
    return crc32c(0, bytes);
}

void write_fields(const Link& link, std::uint8_t* to) {
    store(to, link.length);
    store(to + 4, link.peer);
    to[6] = static_cast<std::uint8_t>(link.kind);
    to[7] = link.flags;
}

bool link_fits(const Link& link) {
    if ((link.flags & ~(kGroupStart | kFromSpill)) != 0 || link.length % 8 != 0) return false;
    if (link.kind == RecordKind::mark) return link.length == 0 && link.peer == 0 && !link.from_spill();
    if (link.kind != RecordKind::frame && link.kind != RecordKind::event) return false;
    if (link.length < sync::kHeaderBytes || link.length > sync::kMaxFrameBytes) return false;
    const bool own = link.peer == 0;
    return (link.kind == RecordKind::frame || own) && (!link.from_spill() || (own && link.kind == RecordKind::frame));
}

}  // namespace

void encode(FileHeader& header, std::uint8_t* to) {
    if (!is_node_name(header.node)) {
        throw InvalidArgument("log of node '" + header.node +
                              "': expected a node's name, [a-z0-9][a-z0-9-]{0,62}; name the node so");
    }
    if (!fields_fit(header)) {
        throw InvalidArgument("header of a log file of node '" + header.node +
                              "': expected numbers and sequences from 1, drained <= spilled, whole words of 8 bytes");
    }
    std::memset(to, 0, kFileHeaderBytes);
    std::memcpy(to, magic_of(header.kind).data(), 4);
    store(to + 4, kLogVersion);
    store(to + 6, static_cast<std::uint16_t>(header.node.size()));
    store(to + 8, header.stream);
    store(to + 16, header.next_number);
    store(to + 24, header.position);
    store(to + 32, header.sequence);
    store(to + 40, header.salt);
    store(to + 48, header.bytes);
    store(to + 56, header.spilled);
    store(to + 64, header.drained);
    store(to + 72, header.chain);
    store(to + 76, header.cursors);
    std::memcpy(to + kNameAt, header.node.data(), header.node.size());
    header.crc = crc32c(0, {to, kCrcAt});
    store(to + kCrcAt, header.crc);
}

Finding decode(Bytes file, FileHeader& out) {
    if (file.size() < kFileHeaderBytes) return {Fault::file_short, file.size()};
    const std::uint8_t* at = file.data();
    if (std::memcmp(at, kSegmentMagic.data(), 4) == 0) {
        out.kind = FileKind::segment;
    } else if (std::memcmp(at, kSnapshotMagic.data(), 4) == 0) {
        out.kind = FileKind::snapshot;
    } else {
        return {Fault::file_magic, 0};
    }
    if (load<std::uint16_t>(at + 4) != kLogVersion) return {Fault::file_version, 4};
    const auto length = load<std::uint16_t>(at + 6);
    if (length > kNodeNameBytes) return {Fault::file_field, 6};
    out.node.assign(reinterpret_cast<const char*>(at + kNameAt), length);
    out.stream = load<std::uint64_t>(at + 8);
    out.next_number = load<std::uint64_t>(at + 16);
    out.position = load<std::uint64_t>(at + 24);
    out.sequence = load<std::uint64_t>(at + 32);
    out.salt = load<std::uint64_t>(at + 40);
    out.bytes = load<std::uint64_t>(at + 48);
    out.spilled = load<std::uint64_t>(at + 56);
    out.drained = load<std::uint64_t>(at + 64);
    out.chain = load<std::uint32_t>(at + 72);
    out.cursors = load<std::uint32_t>(at + 76);
    out.crc = load<std::uint32_t>(at + kCrcAt);
    const bool zeros = sync::all_zero(at + kNameAt + length, kNameField - length) && sync::all_zero(at + kZeroAt, 4);
    if (!is_node_name(out.node) || !zeros) return {Fault::file_field, kNameAt};
    if (!fields_fit(out)) return {Fault::file_field, 8};
    if (out.crc != crc32c(0, file.first(kCrcAt))) return {Fault::file_checksum, kCrcAt};
    return {};
}

void encode(Link& link, std::uint32_t before, std::uint32_t frame_crc, std::uint32_t file_crc, std::uint64_t offset,
            std::uint8_t* to) {
    write_fields(link, to);
    link.chain = chain_over(before, to, frame_crc);
    store(to + 8, link.chain);
    link.place = place_of(file_crc, offset, to);
    store(to + 12, link.place);
}

Finding decode(Bytes file, std::uint64_t offset, std::uint32_t file_crc, Link& out) {
    if (offset > file.size() || file.size() - offset < kLinkBytes) return {Fault::record_size, offset};
    const std::uint8_t* at = file.data() + offset;
    out.length = load<std::uint32_t>(at);
    out.peer = load<std::uint16_t>(at + 4);
    out.kind = static_cast<RecordKind>(at[6]);
    out.flags = at[7];
    out.chain = load<std::uint32_t>(at + 8);
    out.place = load<std::uint32_t>(at + 12);
    if (!link_fits(out)) {
        return {sync::all_zero(at, kLinkBytes) ? Fault::link_empty : Fault::link_field, offset};
    }
    if (out.place != place_of(file_crc, offset, at)) return {Fault::link_place, offset + 12};
    return {};
}

std::uint32_t chain_of(std::uint32_t before, const Link& link, std::uint32_t frame_crc) {
    std::array<std::uint8_t, 8> bytes{};
    write_fields(link, bytes.data());
    return chain_over(before, bytes.data(), frame_crc);
}

}  // namespace tiertwin::log
