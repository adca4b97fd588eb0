#include "audit/entry_writer.hpp"

#include "codec/time.hpp"

namespace theriac::audit {

const std::string& EntryWriter::time_text(std::int64_t wall_ms) {
  if (wall_ms != time_ms_) {  // a batch's entries mostly share a millisecond
    time_ = codec::rfc3339_local(wall_ms);
    time_ms_ = wall_ms;
  }
  return time_;
}

void EntryWriter::put_one(Batch& batch, const Draft& draft, std::int64_t wall_ms) {
  const Stamp stamp{producer_json_, state_.next_sequence, state_.previous, time_text(wall_ms)};
  state_.previous = batch.add([&](Bytes& out) { finish_entry(out, draft, stamp); });
  ++state_.next_sequence;
  state_.last_wall_ms = wall_ms;
}

std::uint64_t EntryWriter::put(Batch& batch, const Draft& draft, std::int64_t wall_ms) {
  if (wall_ms < state_.last_wall_ms) {
    Event event;
    event.action = "time.moved_back";
    event.actor = "system";
    event.object = "clock";
    event.details["from"] = time_text(state_.last_wall_ms);
    event.details["by_ms"] = state_.last_wall_ms - wall_ms;
    put_one(batch, draft_entry(event, boot_id_), wall_ms);
  }
  put_one(batch, draft, wall_ms);
  return batch.end() - 1;
}

}  // namespace theriac::audit
