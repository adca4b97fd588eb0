#include "audit/file_log.hpp"

#include "audit/limits.hpp"

namespace theriac::audit {

using std::chrono::milliseconds;

namespace {

/// The part of a write's duration that is worth waiting for more to write with it.
constexpr int kWriteTimeShare = 4;

/// What the counts of a tally add to an entry at most.
constexpr std::size_t kTallyBytesMax = 512;

}  // namespace

FileLog::FileLog(Options options, OpenedFiles files, Clock& clock, Log& log)
    : options_(std::move(options)),
      files_(std::move(files)),
      clock_(clock),
      log_(log),
      size_(files_.tree->size()),
      writer_([this] { write_loop(); }),
      integrator_([this] { integrate_loop(); }) {}

FileLog::~FileLog() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  writer_.join();
  {
    const std::scoped_lock lock(pending_mutex_);
    stop_integrating_ = true;
  }
  pending_work_.notify_all();
  integrator_.join();
  if (files_.tree->size() == size()) files_.wal->remove_all();
}

Result<FileLog::Place> FileLog::enqueue(Event event, Durable durable, bool waits) {
  Draft draft = draft_entry(event, files_.entries->boot_id());
  const std::size_t bytes =
      entry_bytes_max(draft, files_.entries->producer_json()) + (event.tally ? kTallyBytesMax : 0);
  if (bytes > kEntryBytesMax) return fail(Code::kTooLarge, "audit entry: " + event.action);
  if (pending_bytes_.load(std::memory_order_relaxed) > kPendingBytesMax) {
    return fail(Code::kBusy, "audit log: tiles cannot be written");
  }
  std::unique_ptr<Event> growing;
  if (event.tally) growing = std::make_unique<Event>(std::move(event));
  Place place;
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    if (stop_) return fail(Code::kClosed, "audit log");
    Group& group = *open_;
    if (group.items.size() >= options_.queue_entries_max || group.bytes + bytes > kQueueBytesMax) {
      return fail(Code::kBusy, "audit log: queue");
    }
    if (group.items.empty()) {
      group.items.reserve(last_items_);
      group.since = Time::now();
      wake = true;
    }
    place = {open_, group.items.size()};
    // The time is taken under the lock, so that times stand in the order of entries.
    group.items.push_back(
        {std::move(draft), clock_.wall_ms(), std::move(durable), 0, std::move(growing)});
    group.bytes += bytes;
    if (waits) wake |= ++group.waiters == wake_at_waiters_;
    wake |= group.bytes >= kGroupBytes;
  }
  if (wake) work_.notify_one();
  return place;
}

Result<std::uint64_t> FileLog::append_durable(Event event) {
  THERIAC_ASSIGN(const Place place, enqueue(std::move(event), {}, true));
  place.group->settled.wait(0, std::memory_order_acquire);
  if (place.group->error) return fail(*place.group->error);
  return place.group->items[place.position].index;
}

Status FileLog::append(Event event, Durable durable) {
  THERIAC_TRY(enqueue(std::move(event), std::move(durable), false));
  return {};
}

/// Decides how long the open group may still grow. Somebody waiting on an idle log is written at
/// once. Under load, those who were just acknowledged are about to come back: waiting for as many
/// of them, but for a small share of what a write takes, saves every second write on a slow disk
/// and costs nothing on a fast one.
void FileLog::linger(std::unique_lock<std::mutex>& lock) {
  const auto longest = milliseconds(options_.group_commit_ms);
  const auto enough = [this](std::size_t waiters) {
    return stop_ || open_->waiters >= waiters || open_->bytes >= kGroupBytes;
  };
  wake_at_waiters_ = 1;
  // Nobody waits: gather for as long as agreed.
  work_.wait_until(lock, open_->since + longest, [&] { return enough(1); });
  const bool busy = Time::now() - last_settled_ < longest;
  const auto worth = std::min<Time::duration>(longest, write_time_ / kWriteTimeShare);
  if (!busy || last_waiters_ <= 1 || open_->waiters == 0) return;
  const auto until = last_settled_ + worth;
  wake_at_waiters_ = last_waiters_;
  work_.wait_until(lock, until, [&] { return enough(last_waiters_); });
  wake_at_waiters_ = 1;
}

void FileLog::write_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return stop_ || !open_->items.empty(); });
    if (open_->items.empty()) return;
    linger(lock);
    lock.unlock();
    wait_for_tiles();
    lock.lock();
    writing_ = std::exchange(open_, std::make_shared<Group>());
    const auto group = writing_;
    lock.unlock();
    write_group(*group);
    group->settled.store(1, std::memory_order_release);
    group->settled.notify_all();
    for (Item& item : group->items) {
      if (!item.durable) continue;
      item.durable(group->error ? Result<std::uint64_t>(fail(*group->error))
                                : Result<std::uint64_t>(item.index));
      item.durable = {};
    }
    last_settled_ = Time::now();
    last_waiters_ = group->waiters;
    lock.lock();
    last_items_ = group->items.size();
    writing_.reset();
  }
}

/// Tiles that cannot keep up slow the log down; tiles that cannot be written at all do not stop it
/// here, but in enqueue.
void FileLog::wait_for_tiles() {
  if (pending_bytes_.load(std::memory_order_relaxed) < kPendingBytesMax / 2) return;
  std::unique_lock lock(pending_mutex_);
  hurry_ = true;
  pending_work_.notify_one();
  integrated_.wait(lock,
                   [this] { return integrate_failing_ || pending_bytes_ < kPendingBytesMax / 2; });
}

void FileLog::write_group(Group& group) {
  const ChainState before = files_.entries->state();
  auto batch = std::make_shared<Batch>(size());
  batch->reserve(group.items.size(), group.bytes);
  for (Item& item : group.items) {
    if (item.growing) {
      item.growing->settle();
      item.draft = draft_entry(*item.growing, files_.entries->boot_id());
    }
    item.index = files_.entries->put(*batch, item.draft, item.wall_ms);
  }
  if (rotate_wanted_.exchange(false)) files_.wal->rotate();
  const auto begun = Time::now();
  const Status status = files_.wal->append(*batch);
  write_time_ = (write_time_ * 7 + (Time::now() - begun)) / 8;
  report(status, write_failing_, "audit.write");
  if (!status) {
    files_.entries->restore(before);
    group.error = status.error();
    return;
  }
  size_.store(batch->end(), std::memory_order_release);
  pending_bytes_ += batch->payload().size();
  bool first = false;
  {
    const std::scoped_lock lock(pending_mutex_);
    first = pending_.empty();
    pending_.push_back(std::move(batch));
  }
  if (first) pending_work_.notify_one();
}

void FileLog::report(const Status& status, bool& failing, std::string_view event) {
  if (status.has_value() == !failing) return;  // told already
  failing = !status;
  if (failing) {
    log_.error(event, status.error());
  } else {
    log_.write(Level::kInfo, "audit.works_again");
  }
}

Status FileLog::flush() {
  std::shared_ptr<Group> group;
  {
    const std::scoped_lock lock(mutex_);
    if (stop_) return fail(Code::kClosed, "audit log");
    if (!open_->items.empty()) {
      group = open_;
      ++group->waiters;  // ends the gathering
    } else {
      group = writing_;
    }
  }
  if (group) {
    work_.notify_one();
    group->settled.wait(0, std::memory_order_acquire);
    if (group->error) return fail(*group->error);
  }
  std::unique_lock lock(pending_mutex_);
  const std::uint64_t round = ++rounds_wanted_;
  pending_work_.notify_one();
  integrated_.wait(lock, [&] { return rounds_done_ >= round; });
  return round_status_;
}

void FileLog::integrate_loop() {
  const auto period = milliseconds(options_.checkpoint_ms);
  std::unique_lock lock(pending_mutex_);
  for (;;) {
    pending_work_.wait(lock, [this] {
      return stop_integrating_ || rounds_wanted_ > rounds_done_ || !pending_.empty();
    });
    const auto until = Time::now() + period;
    pending_work_.wait_until(lock, until, [this] {
      return stop_integrating_ || hurry_ || rounds_wanted_ > rounds_done_;
    });
    hurry_ = false;
    integrate_pending(lock);
    // More may have come while this round was at work.
    const bool done = pending_.empty() || !round_status_;
    if (stop_integrating_ && done && rounds_wanted_ == rounds_done_) return;
  }
}

void FileLog::integrate_pending(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t round = rounds_wanted_;
  const auto batches = pending_;
  lock.unlock();
  Status status;
  if (!batches.empty()) {
    rotate_wanted_ = true;  // so that the segment of these entries ends soon, and can go
    status = files_.tree->integrate(batches);
    if (status) files_.wal->remove_below(files_.tree->size());
  }
  lock.lock();
  report(status, integrate_failing_, "audit.checkpoint");
  if (status) {
    for (const auto& batch : batches) pending_bytes_ -= batch->payload().size();
    pending_.erase(pending_.begin(),
                   pending_.begin() + static_cast<std::ptrdiff_t>(batches.size()));
  }
  round_status_ = status;
  rounds_done_ = round;
  integrated_.notify_all();
}

}  // namespace theriac::audit
