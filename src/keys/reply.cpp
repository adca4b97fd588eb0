#include "keys/reply.hpp"

#include <exception>

#include "keys/secret_access.hpp"

namespace theriac::keys {
namespace {

using codec::Json;

Reply ok_reply(Json body) {
  body["v"] = kProtocolVersion;
  body["ok"] = true;
  return {std::move(body), {}, true};
}

Json json_of(const Version& version) {
  return {{"class", version.class_name},
          {"purpose", purpose_name(version.purpose)},
          {"version", version.version},
          {"id", to_hex(version.id.view())},
          {"suite", static_cast<int>(version.suite)},
          {"state", state_name(version.state)},
          {"created_ms", version.created_ms},
          {"changed_ms", version.changed_ms},
          {"person", version.person},
          {"reason", version.reason}};
}

Json json_of(const std::vector<Version>& versions) {
  auto all = Json::array();
  for (const auto& version : versions) all.push_back(json_of(version));
  return all;
}

Reply reply_of(const Grant& grant) {
  Reply reply = ok_reply({{"lease", to_hex(grant.lease.view())},
                          {"token", grant.token},
                          {"tenant", to_uuid_text(grant.tenant.view())},
                          {"issued_ms", grant.issued_ms},
                          {"ttl_ms", grant.expires_ms - grant.issued_ms},
                          {"revoked", grant.revoked},
                          {"keys", Json::array()}});
  if (grant.revoked_certificates) reply.body["revoked_certificates"] = *grant.revoked_certificates;
  reply.secret = SecretBytes(grant.keys.size() * Key256::kSize);
  auto out = reply.secret.reveal_mutable(KeysSecretAccess::get());
  for (const auto& key : grant.keys) {
    reply.body["keys"].push_back({{"id", to_hex(key.id.view())},
                                  {"class", key.class_name},
                                  {"purpose", static_cast<int>(key.purpose)},
                                  {"suite", static_cast<int>(key.suite)},
                                  {"version", key.version},
                                  {"active", key.active}});
    const auto raw = key.material.reveal(KeysSecretAccess::get());
    std::copy(raw.begin(), raw.end(), out.begin());
    out = out.subspan(Key256::kSize);
  }
  reply.body["secret_bytes"] = reply.secret.size();
  return reply;
}

Json json_of(const std::vector<ClassStatus>& classes) {
  auto all = Json::array();
  for (const auto& status : classes) {
    all.push_back({{"class", status.name},
                   {"state", status.suspended ? "suspended" : "active"},
                   {"versions", json_of(status.versions)}});
  }
  return all;
}

Json json_of(const ServiceStatus& status) {
  Json body = {{"tenant", status.tenant.name},
               {"tenant_id", to_uuid_text(status.tenant.id.view())},
               {"tenant_state", state_name(status.tenant.state)},
               {"now_ms", status.now_ms},
               {"lease_ms", status.lease_ms},
               {"classes", status.classes},
               {"audit_entries", status.audit_entries},
               {"leases", Json::array()},
               {"fences", Json::array()},
               {"certificates", Json::array()}};
  for (const auto& lease : status.leases) {
    body["leases"].push_back({{"lease", to_hex(lease.id.view())},
                              {"holder", lease.holder},
                              {"role", pki::role_name(lease.role)},
                              {"classes", lease.classes},
                              {"issued_ms", lease.issued_ms},
                              {"expires_ms", lease.expires_ms}});
  }
  for (const auto& fence : status.fences) {
    body["fences"].push_back({{"name", fence.holder}, {"since_ms", fence.since_ms}});
  }
  for (const auto& issued : status.certificates) {
    body["certificates"].push_back({{"name", issued.identity.name},
                                    {"role", pki::role_name(issued.identity.role)},
                                    {"serial", issued.identity.serial},
                                    {"not_after_ms", issued.identity.not_after_ms},
                                    {"revoked_ms", issued.revoked_ms},
                                    {"reason", issued.reason}});
  }
  return body;
}

/// What each request becomes; one overload a request.
class Dispatch {
 public:
  Dispatch(KeyService& service, const pki::Identity& caller, ByteView payload)
      : service_(service), caller_(caller), payload_(payload) {}

  Result<Reply> operator()(const Hello&) {
    return ok_reply({{"service", "theriac-keyd"},
                     {"name", caller_.name},
                     {"role", pki::role_name(caller_.role)},
                     {"tenant", caller_.tenant},
                     {"lease_ms", service_.lease_ms()}});
  }
  Result<Reply> operator()(const LeaseAsk& ask) {
    THERIAC_ASSIGN(const auto grant, service_.lease(caller_, ask, crypto::sha256(payload_)));
    return reply_of(grant);
  }
  Result<Reply> operator()(const ReleaseAsk& ask) { return done(service_.release(caller_, ask)); }
  Result<Reply> operator()(const CertificateAsk& ask) {
    THERIAC_ASSIGN(auto pem, service_.renew_certificate(caller_, ask));
    return ok_reply({{"certificate", std::move(pem)}});
  }
  Result<Reply> operator()(const ListAsk&) {
    THERIAC_ASSIGN(const auto classes, service_.list(caller_));
    return ok_reply({{"classes", json_of(classes)}});
  }
  Result<Reply> operator()(const StatusAsk&) {
    THERIAC_ASSIGN(const auto status, service_.status(caller_));
    return ok_reply(json_of(status));
  }
  Result<Reply> operator()(const CreateClassAsk& ask) {
    THERIAC_ASSIGN(const auto versions, service_.create_class(caller_, ask));
    return ok_reply({{"versions", json_of(versions)}});
  }
  Result<Reply> operator()(const RotateAsk& ask) {
    THERIAC_ASSIGN(const auto versions, service_.rotate(caller_, ask));
    return ok_reply({{"versions", json_of(versions)}});
  }
  Result<Reply> operator()(const RevokeAsk& ask) {
    THERIAC_ASSIGN(const auto changed, service_.revoke(caller_, ask));
    return ok_reply({{"changed", changed}, {"lease_ms", service_.lease_ms()}});
  }
  Result<Reply> operator()(const ClearFenceAsk& ask) {
    return done(service_.clear_fence(caller_, ask));
  }
  Result<Reply> operator()(const RevokeCertificateAsk& ask) {
    return done(service_.revoke_certificate(caller_, ask));
  }

 private:
  static Result<Reply> done(Status status) {
    THERIAC_TRY(std::move(status));
    return ok_reply(Json::object());
  }
  KeyService& service_;
  const pki::Identity& caller_;
  ByteView payload_;
};

Result<Reply> try_answer(KeyService& service, const pki::Identity& caller, ByteView payload) {
  THERIAC_TRY(service.admit(caller));
  THERIAC_ASSIGN(const auto request, parse_request(payload));
  return std::visit(Dispatch(service, caller, payload), request);
}

}  // namespace

Reply error_reply(const Error& error) {
  return {{{"v", kProtocolVersion},
           {"ok", false},
           {"error", info_of(error.code).name},
           {"where", error.where}},
          {},
          false};
}

Reply answer(KeyService& service, const pki::Identity& caller, ByteView payload, Log& log) {
  try {
    auto reply = try_answer(service, caller, payload);
    if (reply) return std::move(*reply);
    const auto& error = reply.error();
    const bool ours = error.code == Code::kInternal || error.code == Code::kIo ||
                      error.code == Code::kDiskFull || error.code == Code::kNotAuthentic;
    log.write(ours ? Level::kError : Level::kInfo, "request not carried out",
              {{"name", caller.name}, {"code", info_of(error.code).name}, {"where", error.where}});
    return error_reply(error);
  } catch (const std::exception&) {
    // Its text may hold anything, so it is not logged.
    const Error error{Code::kInternal, "exception in a request"};
    log.error("request failed", error);
    return error_reply(error);
  }
}

}  // namespace theriac::keys
