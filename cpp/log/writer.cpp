#include "log/writer.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/error.hpp"

namespace tiertwin::log {
namespace {

// Whoever let go of it last, on another thread, has read it to the end: the fence is the other half of that release.
bool held_by_nobody_else(const std::shared_ptr<Group>& group) {
    if (group.use_count() != 1) return false;
    std::atomic_thread_fence(std::memory_order_acquire);
    return true;
}

constexpr std::size_t kLeastSegment = kFileHeaderBytes + kLinkBytes + sync::kHeaderBytes;

std::string told(const WriterConfig& config) { return "log of node '" + config.node + "': "; }

}  // namespace

LogWriter::LogWriter(const WriterConfig& config)
    : LogWriter(config, LogEnd{.sequence = 0,
                               .offset = 0,
                               .bytes = 0,
                               .position = 0,
                               .chain = 0,
                               .file_crc = 0,
                               .streams = Streams(config.stream)}) {}

LogWriter::LogWriter(WriterConfig config, const LogEnd& end)
    : config_(std::move(config)),
      end_(end),
      durable_(end.streams),
      durable_position_(end.position),
      open_(std::make_shared<Group>()),
      spare_(std::make_shared<Group>()) {
    if (config_.segment_bytes < kLeastSegment || config_.segment_bytes % 8 != 0) {
        throw InvalidArgument(told(config_) + "expected segments of a multiple of 8 and at least " +
                              std::to_string(kLeastSegment) + " bytes, got " + std::to_string(config_.segment_bytes));
    }
    FileHeader probe{.node = config_.node, .stream = config_.stream, .bytes = config_.segment_bytes};
    std::vector<std::uint8_t> bytes(kFileHeaderBytes);
    encode(probe, bytes.data());  // refuses a name that is none
    if (end_.streams.stream() != config_.stream) {
        throw InvalidArgument(told(config_) + "goes on with stream " + std::to_string(end_.streams.stream()) +
                              ", not with " + std::to_string(config_.stream) + "; begin a new log for a new stream");
    }
}

void LogWriter::begin_segment() {
    FileHeader header{.kind = FileKind::segment,
                      .node = config_.node,
                      .stream = config_.stream,
                      .next_number = end_.streams.next_number(),
                      .position = end_.position,
                      .sequence = end_.sequence + 1,
                      .salt = config_.salt,
                      .bytes = config_.segment_bytes,
                      .spilled = end_.streams.spilled(),
                      .drained = end_.streams.drained(),
                      .chain = end_.chain,
                      .cursors = 0,
                      .crc = 0};
    const std::size_t begin = open_->bytes.size();
    open_->bytes.resize(begin + kFileHeaderBytes);
    encode(header, open_->bytes.data() + begin);
    open_->pieces.push_back({header.sequence, 0, begin, kFileHeaderBytes, header.bytes});
    end_.sequence = header.sequence;
    end_.offset = kFileHeaderBytes;
    end_.bytes = header.bytes;
    end_.file_crc = header.crc;
    starts_.push_back({header.sequence, header.position, header.next_number, header.spilled});
}

std::uint64_t LogWriter::put(Link link, Bytes frame, std::uint32_t frame_crc) {
    const std::size_t need = kLinkBytes + frame.size();
    if (end_.sequence == 0 || end_.bytes - end_.offset < need) {
        begin_segment();
        link.flags =
            static_cast<std::uint8_t>(link.flags | kGroupStart);  // the one before is synced before this exists
    }
    if (open_->records == 0) link.flags = static_cast<std::uint8_t>(link.flags | kGroupStart);
    if (open_->pieces.empty()) open_->pieces.push_back({end_.sequence, end_.offset, open_->bytes.size(), 0, 0});
    const std::size_t at = open_->bytes.size();
    open_->bytes.resize(at + kLinkBytes);
    encode(link, end_.chain, frame_crc, end_.file_crc, end_.offset, open_->bytes.data() + at);
    open_->bytes.insert(open_->bytes.end(), frame.begin(), frame.end());
    open_->pieces.back().size += need;
    ++open_->records;
    end_.offset += need;
    end_.chain = link.chain;
    open_->last_position = ++end_.position;
    return end_.position;
}

std::uint64_t LogWriter::append(std::uint16_t peer, Bytes frame, RecordKind kind, bool from_spill) {
    sync::Header header;
    const sync::Verdict verdict = sync::decode_header(frame, header);
    if (!verdict.ok()) {
        throw InvalidArgument(told(config_) + "expected a sealed frame, got one that is refused at byte " +
                              std::to_string(verdict.at) + ": " + std::string(sync::name_of(verdict.reason)));
    }
    if (frame.size() > config_.segment_bytes - kFileHeaderBytes - kLinkBytes) {
        throw InvalidArgument(told(config_) + "a frame of " + std::to_string(frame.size()) +
                              " bytes does not fit segments of " + std::to_string(config_.segment_bytes));
    }
    Link link{.length = static_cast<std::uint32_t>(frame.size()),
              .peer = peer,
              .kind = kind,
              .flags = from_spill ? kFromSpill : std::uint8_t{0}};
    const bool allowed = kind == RecordKind::frame ? !from_spill || peer == 0 : kind == RecordKind::event && peer == 0;
    const Fault fault = allowed ? end_.streams.judge(link, header, frame) : Fault::kind;
    if (fault != Fault::ok) {
        throw InvalidArgument(told(config_) + std::string(sync::name_of(header.kind)) + " number " +
                              std::to_string(header.number) + " of peer " + std::to_string(peer) +
                              " cannot be the next record: " + std::string(name_of(fault)) + " (its cursor is " +
                              std::to_string(end_.streams.of(peer).cursor) + ")");
    }
    const std::uint64_t position = put(link, frame, header.crc);
    end_.streams.take(link, header, frame);
    marked_ = false;
    return position;
}

void LogWriter::mark() {
    if (marked_ || open_->records != 0) return;
    put({.kind = RecordKind::mark}, {}, 0);
    marked_ = true;
}

std::shared_ptr<const Group> LogWriter::take() {
    if (flight_ != nullptr) throw InvalidArgument(told(config_) + "a group is in flight; wait for its sync");
    if (open_->records == 0) throw InvalidArgument(told(config_) + "no record was appended since the last group");
    flight_ = std::exchange(open_, nullptr);
    flight_streams_ = end_.streams;
    open_ = held_by_nobody_else(spare_) ? std::exchange(spare_, nullptr) : std::make_shared<Group>();
    open_->bytes.clear();
    open_->pieces.clear();
    open_->records = 0;
    return flight_;
}

void LogWriter::synced() {
    if (flight_ == nullptr) throw InvalidArgument(told(config_) + "no group is in flight");
    durable_position_ = flight_->last_position;
    durable_ = flight_streams_;
    spare_ = std::exchange(flight_, nullptr);
}

FileHeader LogWriter::snapshot_header() const {
    return {.kind = FileKind::snapshot,
            .node = config_.node,
            .stream = config_.stream,
            .next_number = end_.streams.next_number(),
            .position = end_.position,
            .sequence = std::max<std::uint64_t>(end_.sequence, 1),
            .salt = config_.salt,
            .bytes = 0,
            .spilled = end_.streams.spilled(),
            .drained = end_.streams.drained(),
            .chain = end_.chain,
            .cursors = 0,
            .crc = 0};
}

}  // namespace tiertwin::log
