#include "gateway/gateway_config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <set>

#include "codec/json.hpp"

namespace theriac::gateway {
namespace {

Status bad(std::string_view key, std::string_view wanted) {
  return fail(Code::kPolicyInvalid, fmt::format("{}: {}", key, wanted));
}

Result<std::size_t> number(std::string_view key, std::string_view text, std::size_t least,
                           std::size_t most) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value < least ||
      value > most) {
    return fail(Code::kPolicyInvalid, fmt::format("{}: {} to {}", key, least, most));
  }
  return value;
}

auto text_setting(std::string GatewayConfig::* member) {
  return [member](GatewayConfig& config, std::string_view value) -> Status {
    config.*member = value;
    return {};
  };
}
auto endpoint_setting(std::string_view key, runtime::Endpoint GatewayConfig::* member) {
  return [key, member](GatewayConfig& config, std::string_view value) -> Status {
    auto endpoint = runtime::parse_endpoint(value);
    if (!endpoint) return bad(key, endpoint.error().where);
    config.*member = std::move(*endpoint);
    return {};
  };
}
auto number_setting(std::string_view key, std::size_t GatewayConfig::* member, std::size_t least,
                    std::size_t most) {
  return [=](GatewayConfig& config, std::string_view value) -> Status {
    THERIAC_ASSIGN(config.*member, number(key, value, least, most));
    return {};
  };
}
auto seconds_setting(std::string_view key, std::chrono::seconds GatewayConfig::* member,
                     std::size_t least) {
  return [=](GatewayConfig& config, std::string_view value) -> Status {
    constexpr std::size_t kWeek_s = 7UL * 24 * 3600;
    THERIAC_ASSIGN(const auto seconds, number(key, value, least, kWeek_s));
    config.*member = std::chrono::seconds(static_cast<std::int64_t>(seconds));
    return {};
  };
}

Status set_mode(GatewayConfig& config, std::string_view value) {
  if (value == "passthrough") {
    config.mode = Mode::kPassthrough;
  } else if (value == "enforce") {
    config.mode = Mode::kEnforce;
  } else {
    return bad("mode", "passthrough or enforce");
  }
  return {};
}

constexpr std::array<std::string_view, 4> kUpstreamTls{"disable", "require", "verify-ca",
                                                       "verify-full"};

Status set_upstream_tls(GatewayConfig& config, std::string_view value) {
  for (std::size_t i = 0; i < kUpstreamTls.size(); ++i) {
    if (value != kUpstreamTls[i]) continue;
    config.upstream_tls = static_cast<UpstreamTls>(i);
    return {};
  }
  return bad("upstream-tls", "disable, require, verify-ca or verify-full");
}

Status set_require_tls(GatewayConfig& config, std::string_view value) {
  if (value != "true" && value != "false") return bad("require-tls", "true or false");
  config.require_tls = value == "true";
  return {};
}

std::vector<Setting> make_settings() {
  using C = GatewayConfig;
  return {
      {"listen", "HOST:PORT to accept clients on", false, endpoint_setting("listen", &C::listen)},
      {"upstream", "HOST:PORT or /socket/dir of PostgreSQL", false,
       endpoint_setting("upstream", &C::upstream)},
      {"mode", "passthrough or enforce", false, set_mode},
      {"threads", "event loops, one thread each", false,
       number_setting("threads", &C::threads, 1, 256)},
      {"tls-cert", "PEM certificate chain shown to clients", false, text_setting(&C::tls_cert)},
      {"tls-key", "PEM key of it", false, text_setting(&C::tls_key)},
      {"require-tls", "refuse clients without TLS", true, set_require_tls},
      {"upstream-tls", "disable, require, verify-ca or verify-full", false, set_upstream_tls},
      {"upstream-ca", "PEM authority of the server's certificate", false,
       text_setting(&C::upstream_ca)},
      {"policy", "policy file (enforce)", false, text_setting(&C::policy)},
      {"keyd", "HOST:PORT of theriac-keyd (enforce)", false, text_setting(&C::keyd)},
      {"cert", "directory of the gateway's certificate for theriac-keyd (enforce)", false,
       text_setting(&C::cert)},
      {"catalogue", "conninfo for catalogue and password verifiers", false,
       text_setting(&C::catalogue)},
      {"provision", "conninfo of a superuser (or file:PATH, env:NAME) who prepares new databases",
       false, text_setting(&C::provision)},
      {"known-statements", "file of the only statements taken on protected tables (strict mode)",
       false, text_setting(&C::known_statements)},
      {"audit", "directory of the audit log (enforce)", false, text_setting(&C::audit)},
      {"metrics", "HOST:PORT for Prometheus", false, text_setting(&C::metrics)},
      {"sessions-max", "sessions at once", false,
       number_setting("sessions-max", &C::sessions_max, 1, 1'000'000)},
      {"idle-timeout", "seconds an idle session may stay; 0: for ever", false,
       seconds_setting("idle-timeout", &C::idle_timeout, 0)},
      {"write-timeout", "seconds a peer may take no bytes", false,
       seconds_setting("write-timeout", &C::write_timeout, 1)},
      {"sign-in-timeout", "seconds from connecting to signed in", false,
       seconds_setting("sign-in-timeout", &C::sign_in_timeout, 1)},
      {"stop-timeout", "seconds that work under way has when the gateway stops", false,
       seconds_setting("stop-timeout", &C::stop_timeout, 0)},
  };
}

}  // namespace

std::span<const Setting> settings() {
  static const std::vector<Setting> kSettings = make_settings();
  return kSettings;
}

Status read_config_file(const std::string& path, GatewayConfig& config) {
  YAML::Node root;
  try {
    root = YAML::LoadFile(path);
  } catch (const YAML::Exception& problem) {
    return fail(Code::kPolicyInvalid, fmt::format("{} line {}", path, problem.mark.line + 1));
  }
  if (!root.IsMap()) return fail(Code::kPolicyInvalid, path + ": a map of settings is wanted");
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const auto where = fmt::format("{} line {}", path, entry.first.Mark().line + 1);
    if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
      return fail(Code::kPolicyInvalid, where + ": name: value is wanted");
    }
    const auto& key = entry.first.Scalar();
    if (!seen.insert(key).second) return fail(Code::kPolicyInvalid, where + ": twice " + key);
    const auto found = std::ranges::find(settings(), key, &Setting::key);
    if (found == settings().end()) {
      return fail(Code::kPolicyInvalid, where + ": no setting is called " + key);
    }
    if (auto set = found->set(config, entry.second.Scalar()); !set) {
      return fail(set.error().code, where + ": " + set.error().where);
    }
  }
  return {};
}

Status check_config(const GatewayConfig& config) {
  if (config.listen.host.empty()) return bad("listen", "HOST:PORT is missing");
  if (config.upstream == runtime::Endpoint{}) return bad("upstream", "HOST:PORT is missing");
  if (config.tls_cert.empty() != config.tls_key.empty()) {
    return bad("tls-cert, tls-key", "both or none");
  }
  if (config.require_tls && config.tls_cert.empty()) return bad("require-tls", "needs tls-cert");
  const bool verifies = config.upstream_tls == UpstreamTls::kVerifyCa ||
                        config.upstream_tls == UpstreamTls::kVerifyFull;
  if (verifies && config.upstream_ca.empty()) return bad("upstream-tls", "needs upstream-ca");
  if (config.upstream.is_unix() && config.upstream_tls != UpstreamTls::kDisable) {
    return bad("upstream-tls", "a Unix socket has no TLS");
  }
  if (config.mode == Mode::kPassthrough) return {};
  if (config.policy.empty()) return bad("policy", "enforce needs it");
  if (config.keyd.empty()) return bad("keyd", "enforce needs it");
  if (config.cert.empty()) return bad("cert", "enforce needs it");
  if (config.catalogue.empty()) return bad("catalogue", "enforce needs it");
  if (config.audit.empty()) return bad("audit", "enforce needs it");
  return {};
}

std::string config_json(const GatewayConfig& config) {
  // The conninfo may hold a password, so only its presence is told.
  const nlohmann::ordered_json json{
      {"listen", config.listen.text()},
      {"upstream", config.upstream.text()},
      {"mode", config.mode == Mode::kEnforce ? "enforce" : "passthrough"},
      {"threads", config.threads},
      {"tls-cert", config.tls_cert},
      {"require-tls", config.require_tls},
      {"upstream-tls", kUpstreamTls[static_cast<std::size_t>(config.upstream_tls)]},
      {"upstream-ca", config.upstream_ca},
      {"policy", config.policy},
      {"keyd", config.keyd},
      {"cert", config.cert},
      {"catalogue", config.catalogue.empty() ? "" : "set"},
      {"provision", config.provision.empty() ? "" : "set"},
      {"known-statements", config.known_statements},
      {"audit", config.audit},
      {"metrics", config.metrics},
      {"sessions-max", config.sessions_max},
      {"idle-timeout", config.idle_timeout.count()},
      {"write-timeout", config.write_timeout.count()},
      {"sign-in-timeout", config.sign_in_timeout.count()},
      {"stop-timeout", config.stop_timeout.count()},
  };
  return json.dump();
}

}  // namespace theriac::gateway
