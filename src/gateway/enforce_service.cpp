#include "gateway/enforce_service.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/enforce_session.hpp"

namespace theriac::gateway {

void StatementCounts::rewritten(std::string_view tag) {
  const auto* const at = std::find(kCommon.begin(), kCommon.end(), tag);
  if (at == kCommon.end()) return add(rewritten_, tag);
  common_.at(static_cast<std::size_t>(at - kCommon.begin()))
      .fetch_add(1, std::memory_order_relaxed);
}

void StatementCounts::add(Counts& counts, std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto at = counts.find(name);
  if (at != counts.end()) {
    ++at->second;
  } else {
    counts.emplace(std::string(name), 1);
  }
}

std::string StatementCounts::text() const {
  std::string out;
  const auto family = [&](std::string_view name, std::string_view label, const Counts& counts) {
    out += fmt::format("# TYPE {} counter\n", name);
    for (const auto& [word, count] : counts) {
      std::string escaped;
      for (const char c : word) {
        if (c == '"' || c == '\\') escaped.push_back('\\');
        escaped.push_back(c);
      }
      out += fmt::format("{}{{{}=\"{}\"}} {}\n", name, label, escaped, count);
    }
  };
  const std::lock_guard lock(mutex_);
  auto rewritten = rewritten_;
  for (std::size_t i = 0; i < kCommon.size(); ++i) {
    const auto count = common_.at(i).load(std::memory_order_relaxed);
    if (count > 0) rewritten.emplace(kCommon.at(i), count);
  }
  family("theriac_rewritten_by_tag_total", "tag", rewritten);
  family("theriac_refused_by_construct_total", "construct", refused_);
  return out;
}

Result<std::unique_ptr<EnforceService>> EnforceService::start(Parts parts) {
  auto service = std::unique_ptr<EnforceService>(new EnforceService(std::move(parts)));
  auto& own = service->parts_;
  service->databases_ = std::make_unique<Databases>(
      Databases::Parts{own.load, own.fingerprint, own.log, own.catalogue_poll_ms});
  THERIAC_TRY(service->databases_->load_first(own.first_database));
  service->databases_->start();
  return service;
}

EnforceService::~EnforceService() = default;

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
  const auto* database = startup.find("database");
  THERIAC_ASSIGN(auto attached, databases_->attach(database != nullptr ? *database : *user, waker));
  return std::make_unique<EnforceSession>(*this, std::move(attached), ciphers_of_this_thread(),
                                          *user, std::move(waker));
}

}  // namespace theriac::gateway
