#include "gateway/enforce_service.hpp"

#include "gateway/enforce_session.hpp"

namespace theriac::gateway {

PlanCache::Plans PlanCache::find(const std::string& key, std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch_ != epoch) return {};
  const auto at = plans_.find(key);
  return at == plans_.end() ? Plans{} : at->second;
}

void PlanCache::keep(std::string key, std::uint64_t epoch, Planned planned) {
  const std::lock_guard lock(mutex_);
  if (epoch_ != epoch || size_ >= kPlansMax) {
    plans_.clear();
    size_ = 0;
    epoch_ = epoch;
  }
  auto& same = plans_[std::move(key)];
  if (same.size() >= kPlansOfShapeMax) {
    size_ -= same.size();
    same.clear();
  }
  same.push_back(std::move(planned));
  ++size_;
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
  key.push_back('\0');
  // Only what touches protected tables is worth taking apart: the rest goes byte for byte.
  const auto shape = catalogue->may_concern(sql) ? rewrite::shape_of_text(sql)
                                                 : std::optional<rewrite::TextShape>();
  if (shape) {
    return plan_by_shape(sql, *shape, key + shape->key, catalogue, context);
  }
  key.append(sql);
  const auto found = find(key, catalogue->epoch());
  if (!found.empty()) {
    ++counts_.hits;
    return found.front();
  }
  ++counts_.misses;
  THERIAC_ASSIGN(auto made, rewrite::analyse(sql, *catalogue, context));
  Planned planned{std::make_shared<const rewrite::Plan>(std::move(made)), nullptr};
  keep(std::move(key), catalogue->epoch(), planned);
  return planned;
}

Result<Planned> PlanCache::plan_by_shape(std::string_view sql, const rewrite::TextShape& shape,
                                         std::string key,
                                         const std::shared_ptr<const rewrite::Catalogue>& catalogue,
                                         const rewrite::Context& context) {
  for (auto& planned : find(key, catalogue->epoch())) {
    if (auto literals = rewrite::literals_for(*planned.plan, sql, shape)) {
      ++counts_.hits;
      planned.literals = std::move(literals);
      return std::move(planned);
    }
  }
  ++counts_.misses;
  THERIAC_ASSIGN(auto made, rewrite::analyse_shape(sql, shape, *catalogue, context));
  Planned planned{std::make_shared<const rewrite::Plan>(std::move(made)), nullptr};
  if (planned.plan->serves_shape) keep(std::move(key), catalogue->epoch(), planned);
  return planned;
}

Result<std::unique_ptr<EnforceService>> EnforceService::start(Parts parts) {
  auto service = std::unique_ptr<EnforceService>(new EnforceService(std::move(parts)));
  THERIAC_ASSIGN(service->fingerprint_, service->parts_.fingerprint());
  THERIAC_ASSIGN(service->catalogue_, service->parts_.load_catalogue(1));
  service->watcher_ = std::thread([raw = service.get()] { raw->watch(); });
  return service;
}

EnforceService::~EnforceService() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

std::shared_ptr<const rewrite::Catalogue> EnforceService::catalogue() const {
  const std::lock_guard lock(mutex_);
  return catalogue_;
}

void EnforceService::request_reload() {
  {
    const std::lock_guard lock(mutex_);
    reload_ = true;
  }
  changed_.notify_all();
}

void EnforceService::watch() {
  std::uint64_t epoch = 1;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(parts_.catalogue_poll_ms),
                        [this] { return stop_ || reload_; });
      if (stop_) return;
      reload_ = false;
    }
    const auto now = parts_.fingerprint();
    if (!now) {
      parts_.log->error("catalogue.unreachable", now.error());
      continue;
    }
    if (*now == fingerprint_) continue;
    auto loaded = parts_.load_catalogue(epoch + 1);
    if (!loaded) {
      // The old snapshot stays: names it does not know are resolved by the server, and the rights
      // on protected columns refuse what slips past.
      parts_.log->error("catalogue.reload_failed", loaded.error());
      continue;
    }
    ++epoch;
    const std::lock_guard lock(mutex_);
    fingerprint_ = *now;
    catalogue_ = std::move(*loaded);
    parts_.log->write(Level::kInfo, "catalogue.loaded", {{"epoch", epoch}});
  }
}

std::shared_ptr<Ciphers> EnforceService::ciphers_of_this_thread() {
  const std::lock_guard lock(mutex_);
  auto& mine = ciphers_[std::this_thread::get_id()];
  if (!mine) mine = std::make_shared<Ciphers>(*parts_.keys, parts_.policy, *parts_.random);
  return mine;
}

Result<std::unique_ptr<Session>> EnforceService::make_session(const pgwire::StartupMessage& startup,
                                                              Waker waker) {
  const auto* user = startup.find("user");
  if (user == nullptr) return fail(Code::kProtocol, "startup without user");
  return std::make_unique<EnforceSession>(*this, ciphers_of_this_thread(), *user, std::move(waker));
}

}  // namespace theriac::gateway
