#include "gateway/enforce_databases.hpp"

#include <chrono>

namespace theriac::gateway {

std::shared_ptr<const PlanCache::Plans> PlanCache::find(const std::string& key,
                                                        std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch_ != epoch) return nullptr;
  const auto at = plans_.find(key);
  return at == plans_.end() ? nullptr : at->second;
}

void PlanCache::keep(std::string key, std::uint64_t epoch, Planned planned) {
  const std::lock_guard lock(mutex_);
  if (epoch_ != epoch || size_ >= kPlansMax) {
    plans_.clear();
    size_ = 0;
    epoch_ = epoch;
  }
  // Lists are replaced, never changed: those who found one go on reading it.
  auto& same = plans_[std::move(key)];
  auto made = std::make_shared<Plans>();
  if (same && same->size() < kPlansOfShapeMax) *made = *same;
  if (same) size_ -= same->size();
  made->push_back(std::move(planned));
  size_ += made->size();
  same = std::move(made);
}

Result<Planned> PlanCache::plan(std::string_view sql,
                                const std::shared_ptr<const rewrite::Catalogue>& catalogue,
                                const rewrite::Context& context) {
  if (sql.size() > kCachedSqlBytesMax) {
    THERIAC_ASSIGN(auto made, rewrite::analyse(sql, *catalogue, context));
    return Planned{std::make_shared<const rewrite::Plan>(std::move(made)), nullptr};
  }
  std::string key;
  for (const auto& schema : context.search_path) key.append(schema).push_back('\0');
  key.append(context.encoding).push_back('\0');
  key.push_back('\0');
  // Only what touches protected tables is worth taking apart: the rest goes byte for byte.
  const auto shape = catalogue->may_concern(sql) ? rewrite::shape_of_text(sql)
                                                 : std::optional<rewrite::TextShape>();
  if (shape) {
    return plan_by_shape(sql, *shape, key + shape->key, catalogue, context);
  }
  key.append(sql);
  const auto found = find(key, catalogue->epoch());
  if (found) {
    ++counts_.hits;
    return found->front();
  }
  ++counts_.misses;
  THERIAC_ASSIGN(auto made, rewrite::analyse(sql, *catalogue, context));
  Planned planned{std::make_shared<const rewrite::Plan>(std::move(made)), nullptr};
  // EXECUTE differs in its values each time, and is quickly read.
  const auto& statements = planned.plan->statements;
  if (statements.size() != 1 || !statements.front().prepared ||
      statements.front().prepared->kind != rewrite::PreparedUse::Kind::kExecute) {
    keep(std::move(key), catalogue->epoch(), planned);
  }
  return planned;
}

Result<Planned> PlanCache::plan_by_shape(std::string_view sql, const rewrite::TextShape& shape,
                                         std::string key,
                                         const std::shared_ptr<const rewrite::Catalogue>& catalogue,
                                         const rewrite::Context& context) {
  if (const auto found = find(key, catalogue->epoch())) {
    for (const auto& kept : *found) {
      auto literals = rewrite::literals_for(*kept.plan, sql, shape);
      if (!literals) continue;
      ++counts_.hits;
      return Planned{kept.plan, std::move(literals), kept.verified};
    }
  }
  ++counts_.misses;
  THERIAC_ASSIGN(auto made, rewrite::analyse_shape(sql, shape, *catalogue, context));
  Planned planned{std::make_shared<const rewrite::Plan>(std::move(made)), nullptr};
  if (planned.plan->serves_shape) keep(std::move(key), catalogue->epoch(), planned);
  return planned;
}

Database::Database(std::string name, Databases& owner)
    : name_(std::move(name)), owner_(owner), plans_(owner.plan_counts()) {}

Database::State Database::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Error Database::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

std::shared_ptr<const rewrite::Catalogue> Database::catalogue() const {
  static const auto kEmpty =
      std::make_shared<const rewrite::Catalogue>(0, std::vector<rewrite::Relation>{});
  const std::lock_guard lock(mutex_);
  return snapshot_.catalogue ? snapshot_.catalogue : kEmpty;
}

std::shared_ptr<const AdoptionKey> Database::key() const {
  const std::lock_guard lock(mutex_);
  return snapshot_.key;
}

std::uint64_t Database::request_reload(bool for_all) {
  std::uint64_t ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    ticket = ++requested_;
    if (for_all) requested_for_all_ = ticket;
  }
  owner_.wake();
  return ticket;
}

bool Database::caught_up(std::uint64_t ticket) const {
  const std::lock_guard lock(mutex_);
  return loaded_ >= ticket;
}

bool Database::is_behind(bool concerned, const Waker& waker) {
  const std::lock_guard lock(mutex_);
  if ((concerned ? requested_ : requested_for_all_) <= done_) return false;
  waiting_.push_back(waker);
  return true;
}

Databases::Databases(Parts parts) : parts_(std::move(parts)) {}

Databases::~Databases() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

void Databases::start() {
  watcher_ = std::thread([this] { watch(); });
}

void Databases::wake() {
  {
    const std::lock_guard lock(mutex_);
    work_ = true;
  }
  changed_.notify_all();
}

Status Databases::load_first(const std::string& name) {
  const auto database = std::make_shared<Database>(name, *this);
  load(*database, std::nullopt);
  if (database->state() == Database::State::kFailed) return fail(database->error());
  const std::lock_guard lock(mutex_);
  all_.emplace(name, database);
  return {};
}

Result<std::shared_ptr<Database>> Databases::attach(const std::string& name, const Waker& waker) {
  std::shared_ptr<Database> found;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = all_[name];
    // One that failed is tried again; the sessions it failed for keep their answer.
    const bool fresh = !entry || entry->state() == Database::State::kFailed;
    if (fresh && all_.size() > kDatabasesMax) {
      all_.erase(name);
      return fail(Code::kBusy, "databases");
    }
    if (fresh) entry = std::make_shared<Database>(name, *this);
    found = entry->sessions_.lock();
    const bool alone = !found;
    if (alone) {
      found = std::shared_ptr<Database>(entry.get(),
                                        [kept = entry](Database*) mutable { kept.reset(); });
      entry->sessions_ = found;
    }
    const std::lock_guard inner(found->mutex_);
    if (alone) found->state_ = Database::State::kLoading;
    found->idle_polls_ = 0;
    if (found->state_ != Database::State::kLoading) return found;
    found->waiting_.push_back(waker);
    work_ = true;
  }
  changed_.notify_all();
  return found;
}

void Databases::watch() {
  for (;;) {
    std::vector<std::shared_ptr<Database>> all;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(parts_.poll_ms),
                        [this] { return stop_ || work_; });
      if (stop_) return;
      work_ = false;
      forget_unused();
      for (const auto& [name, database] : all_) {
        const std::lock_guard inner(database->mutex_);
        if (database->idle_polls_ == 0) all.push_back(database);
      }
    }
    for (const auto& database : all) look_after(database);
  }
}

/// Under the lock.
void Databases::forget_unused() {
  for (auto at = all_.begin(); at != all_.end();) {
    auto& database = *at->second;
    bool gone = false;
    if (database.sessions_.expired()) {
      const std::lock_guard inner(database.mutex_);
      const bool failed = database.state_ == Database::State::kFailed;
      gone = failed || ++database.idle_polls_ > kDatabaseIdlePolls;
    }
    at = gone ? all_.erase(at) : std::next(at);
  }
}

void Databases::look_after(const std::shared_ptr<Database>& database) {
  Database::State state{};
  std::uint64_t known = 0, requested = 0;
  {
    const std::lock_guard inner(database->mutex_);
    state = database->state_;
    known = database->fingerprint_;
    requested = database->requested_;
  }
  if (state == Database::State::kFailed) return;
  const bool renewed = renew(*database, state, known);
  std::vector<Waker> waiting;
  {
    const std::lock_guard inner(database->mutex_);
    // Who waited goes on in either case: with an old snapshot the rights on protected columns
    // refuse what slips past.
    database->done_ = std::max(database->done_, requested);
    if (renewed) database->loaded_ = std::max(database->loaded_, requested);
    // Somebody came meanwhile to a database that nobody was at: he waits for the next look, which
    // comes at once. Woken now he would find it loading, and nobody would wake him again.
    if (database->state_ != Database::State::kLoading) waiting.swap(database->waiting_);
  }
  for (const auto& waker : waiting) waker();
}

/// True: the snapshot is of now.
bool Databases::renew(Database& database, Database::State state, std::uint64_t known) {
  const auto now = parts_.fingerprint(database.name());
  if (state == Database::State::kLoading) {
    const std::unique_lock inner(database.mutex_);
    if (now && database.snapshot_.catalogue && *now == known) {
      database.state_ = Database::State::kReady;
      return true;
    }
  }
  // A database that is not prepared yet has no fingerprint.
  if (state == Database::State::kLoading) return load(database, std::nullopt);
  if (!now) {
    parts_.log->error("catalogue.unreachable", now.error());
    return false;
  }
  return *now == known || load(database, *now);
}

bool Databases::load(Database& database, std::optional<std::uint64_t> fingerprint) {
  auto known =
      fingerprint ? Result<std::uint64_t>(*fingerprint) : parts_.fingerprint(database.name());
  auto loaded =
      known ? parts_.load(database.name(), next_epoch()) : Result<Snapshot>(fail(known.error()));
  {
    const std::lock_guard inner(database.mutex_);
    if (loaded) {
      database.fingerprint_ = *known;
      database.snapshot_ = std::move(*loaded);
      database.state_ = Database::State::kReady;
    } else if (database.state_ == Database::State::kLoading) {
      database.state_ = Database::State::kFailed;
      database.error_ = loaded.error();
    }
    // Else the old snapshot stays.
  }
  if (loaded) {
    // A slip in the policy's names shows as columns that are awaited for ever.
    parts_.log->write(
        Level::kInfo, "catalogue.loaded",
        {{"database", database.name()}, {"awaited", database.catalogue()->awaited().size()}});
  } else {
    parts_.log->error("catalogue.load_failed", loaded.error());
  }
  return loaded.has_value();
}

}  // namespace theriac::gateway
