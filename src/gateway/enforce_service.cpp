#include "gateway/enforce_service.hpp"

#include "gateway/enforce_session.hpp"

namespace theriac::gateway {

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
