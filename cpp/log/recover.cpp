#include "log/recover.hpp"

#include <algorithm>
#include <numeric>

namespace tiertwin::log {
namespace {

class Recoverer {
  public:
    Recoverer(const Expectation& expect, std::span<const Bytes> segments, std::span<const Bytes> snapshots)
        : expect_(expect), segments_(segments), snapshots_(snapshots) {
        out_.segments.resize(segments.size());
        out_.snapshots.resize(snapshots.size());
        headers_.resize(segments.size());
        order_.resize(segments.size());
        std::iota(order_.begin(), order_.end(), std::size_t{0});
    }

    Recovery run() {
        if (segments_.empty() && snapshots_.empty()) return std::move(out_);
        out_.action = Action::resume;
        if (read_headers() && in_sequence()) {
            read_snapshots();
            if (begin_reaches()) read_segments();
        }
        return std::move(out_);
    }

  private:
    bool restart(Fault why, std::int64_t culprit = -1, std::uint64_t at = 0) {
        out_.action = Action::restart;
        out_.why = why;
        out_.culprit = culprit;
        if (culprit >= 0) out_.segments[static_cast<std::size_t>(culprit)] = {why, at};
        out_.snapshot = -1;
        out_.replay.clear();
        out_.unacked.clear();
        out_.waiting.clear();
        out_.end = {};
        return false;
    }

    // Whose file it is; the stream is that of the newest segment unless the caller knows.
    [[nodiscard]] Fault owner(const FileHeader& header) const {
        if (header.node != expect_.node) return Fault::file_node;
        return header.stream == stream_ ? Fault::ok : Fault::file_stream;
    }

    bool read_headers() {
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            Finding& found = out_.segments[i];
            found = decode(segments_[i], headers_[i]);
            if (found.ok() && headers_[i].kind != FileKind::segment) found = {Fault::file_magic, 0};
            if (!found.ok()) return restart(found.fault, static_cast<std::int64_t>(i), found.at);
        }
        std::ranges::sort(order_, {}, [&](std::size_t i) { return headers_[i].sequence; });
        stream_ = expect_.stream != 0 || order_.empty() ? expect_.stream : headers_[order_.back()].stream;
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            const Fault fault = owner(headers_[i]);
            if (fault != Fault::ok) return restart(fault, static_cast<std::int64_t>(i), 8);
            if (headers_[i].bytes != segments_[i].size()) {
                return restart(Fault::file_size, static_cast<std::int64_t>(i), 48);
            }
        }
        return true;
    }

    bool in_sequence() {
        if (order_.empty()) return restart(Fault::missing);
        for (std::size_t k = 1; k < order_.size(); ++k) {
            const std::uint64_t before = headers_[order_[k - 1]].sequence, now = headers_[order_[k]].sequence;
            if (now == before) return restart(Fault::doubled, static_cast<std::int64_t>(order_[k]), 32);
            if (now != before + 1) return restart(Fault::missing, static_cast<std::int64_t>(order_[k]), 32);
        }
        return true;
    }

    void read_snapshots() {
        const std::uint64_t begin = headers_[order_.front()].position;
        SnapshotFile file;
        for (std::size_t i = 0; i < snapshots_.size(); ++i) {
            Finding& found = out_.snapshots[i];
            found = decode_snapshot_file(snapshots_[i], file);
            if (found.ok()) found = {owner(file.header), 8};
            if (!found.ok()) continue;
            found = {};
            const bool newer = out_.snapshot < 0 || file.header.position > snapshot_.position;
            if (!newer || file.header.position < begin) continue;
            out_.snapshot = static_cast<std::int64_t>(i);
            snapshot_ = file.header;
            cursors_ = file.cursors;
        }
    }

    bool begin_reaches() {
        if (out_.snapshot < 0 && headers_[order_.front()].position != 0) return restart(Fault::missing);
        out_.acked = cursors_.empty() ? 0 : cursors_.front().cursor;
        const FileHeader& first = headers_[order_.front()];
        streams_ = Streams(stream_, first.next_number, first.spilled, first.drained);
        position_ = first.position;
        chain_ = first.chain;
        loaded_ = out_.snapshot < 0;
        return true;
    }

    // The cursors come in where the snapshot stands; the own stream must have come to the same there.
    bool load_snapshot(std::size_t file, std::uint64_t at) {
        const bool same = chain_ == snapshot_.chain && streams_.next_number() == snapshot_.next_number &&
                          streams_.spilled() == snapshot_.spilled && streams_.drained() == snapshot_.drained;
        if (!same) return restart(Fault::sequel, static_cast<std::int64_t>(file), at);
        for (const Cursor& c : cursors_) {
            if (c.peer != 0) streams_.set(c);
        }
        loaded_ = true;
        return true;
    }

    bool take(const Record& record, std::size_t file) {
        const bool own = record.link.peer == 0;
        if (loaded_ || own) {  // what a peer said before the snapshot is in the snapshot
            const Fault fault = streams_.judge(record.link, record.header, record.frame);
            if (fault != Fault::ok) return restart(fault, static_cast<std::int64_t>(file), record.offset);
            streams_.take(record.link, record.header, record.frame);
        }
        ++position_;
        if (record.link.kind == RecordKind::mark) return true;
        const Place place{static_cast<std::uint32_t>(file), record.link.length, record.offset + kLinkBytes,
                          record.link.peer, record.link.kind};
        if (record.link.kind == RecordKind::event) {
            out_.waiting.push_back(place);
            waiting_last_.push_back(streams_.spilled());
            return true;
        }
        if (loaded_) out_.replay.push_back(place);
        if (own && record.header.last_number() > out_.acked) out_.unacked.push_back(place);
        return true;
    }

    bool read_segment(std::size_t k) {
        const std::size_t file = order_[k];
        const FileHeader& header = headers_[file];
        const bool follows = header.position == position_ && header.chain == chain_ &&
                             header.next_number == streams_.next_number() && header.spilled == streams_.spilled() &&
                             header.drained == streams_.drained();
        if (!follows) return restart(Fault::sequel, static_cast<std::int64_t>(order_[k == 0 ? 0 : k - 1]), end_offset_);
        Reader reader(segments_[file], header.crc, kFileHeaderBytes, chain_);
        if (!loaded_ && position_ == snapshot_.position && !load_snapshot(file, reader.offset())) return false;
        last_group_ = reader.offset();
        for (Record record; reader.next(record);) {
            chain_ = reader.chain();
            if (record.link.group_start()) last_group_ = record.offset;
            if (!take(record, file)) return false;
            if (!loaded_ && position_ == snapshot_.position && !load_snapshot(file, reader.offset())) return false;
        }
        end_offset_ = reader.offset();
        const TailVerdict tail = judge_tail(segments_[file], header.crc, reader.offset());
        const bool last = k + 1 == order_.size();
        if (tail.tail == Tail::broken || (!last && tail.tail == Tail::torn)) {
            return restart(reader.finding().fault, static_cast<std::int64_t>(file), reader.finding().at);
        }
        if (last) finish(file, tail, reader);
        return true;
    }

    void finish(std::size_t file, const TailVerdict& tail, const Reader& reader) {
        if (tail.tail == Tail::torn) out_.segments[file] = reader.finding();
        out_.last_segment = static_cast<std::int64_t>(file);
        out_.last_group = last_group_;
        out_.dirty_end = tail.tail == Tail::torn ? tail.dirty_end : reader.offset();
        out_.end = {headers_[file].sequence, reader.offset(), headers_[file].bytes, position_, chain_,
                    headers_[file].crc,      streams_};
    }

    void read_segments() {
        for (std::size_t k = 0; k < order_.size(); ++k) {
            if (!read_segment(k)) return;
        }
        if (!loaded_) {
            restart(Fault::behind, static_cast<std::int64_t>(order_.back()), end_offset_);
            return;
        }
        std::size_t done = 0;
        while (done < waiting_last_.size() && waiting_last_[done] <= streams_.drained()) ++done;
        out_.waiting.erase(out_.waiting.begin(), out_.waiting.begin() + static_cast<std::ptrdiff_t>(done));
    }

    const Expectation& expect_;
    std::span<const Bytes> segments_, snapshots_;
    std::vector<FileHeader> headers_;
    std::vector<std::size_t> order_;
    std::uint64_t stream_ = 0;
    FileHeader snapshot_;
    std::vector<Cursor> cursors_;
    Streams streams_;
    std::uint64_t position_ = 0;
    std::uint32_t chain_ = 0;
    std::uint64_t end_offset_ = 0, last_group_ = 0;
    bool loaded_ = true;
    std::vector<std::uint64_t> waiting_last_;
    Recovery out_;
};

}  // namespace

Recovery recover(const Expectation& expect, std::span<const Bytes> segments, std::span<const Bytes> snapshots) {
    return Recoverer(expect, segments, snapshots).run();
}

}  // namespace tiertwin::log
