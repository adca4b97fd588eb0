#include "api/config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cstdlib>
#include <set>

#include "api/limits.hpp"
#include "base/files.hpp"

namespace theriac::api {
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

auto text_setting(std::string Config::* member) {
  return [member](Config& config, std::string_view value) -> Status {
    config.*member = value;
    return {};
  };
}
auto number_setting(std::string_view key, std::size_t Config::* member, std::size_t least,
                    std::size_t most) {
  return [=](Config& config, std::string_view value) -> Status {
    THERIAC_ASSIGN(config.*member, number(key, value, least, most));
    return {};
  };
}
auto seconds_setting(std::string_view key, std::chrono::seconds Config::* member) {
  return [=](Config& config, std::string_view value) -> Status {
    constexpr std::size_t kDay_s = 24UL * 3600;
    THERIAC_ASSIGN(const auto seconds, number(key, value, 0, kDay_s));
    config.*member = std::chrono::seconds(static_cast<std::int64_t>(seconds));
    return {};
  };
}

Status set_listen(Config& config, std::string_view value) {
  auto endpoint = runtime::parse_endpoint(value);
  if (!endpoint || endpoint->is_unix()) return bad("listen", "HOST:PORT");
  config.listen = std::move(*endpoint);
  return {};
}

Status set_webhook_private(Config& config, std::string_view value) {
  config.webhook_private.clear();
  while (!value.empty()) {
    const auto end = std::min(value.find(','), value.size());
    auto endpoint = runtime::parse_endpoint(value.substr(0, end));
    if (!endpoint || endpoint->is_unix() || endpoint->port == 0) {
      return bad("webhook-private", "HOST:PORT, parted by commas");
    }
    config.webhook_private.push_back(std::move(*endpoint));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return {};
}

std::vector<Setting> make_settings() {
  using C = Config;
  return {
      {"listen", "HOST:PORT to accept callers on", set_listen},
      {"tls-cert", "PEM certificate chain shown to callers", text_setting(&C::tls_cert)},
      {"tls-key", "PEM key of it", text_setting(&C::tls_key)},
      {"client-ca", "PEM authority of callers' certificates; default ca.pem of --cert",
       text_setting(&C::client_ca)},
      {"keyd", "HOST:PORT of theriac-keyd", text_setting(&C::keyd)},
      {"cert", "directory of the certificate for theriac-keyd (role server)",
       text_setting(&C::cert)},
      {"store", "sqlite:/path or a conninfo, or file:PATH or env:NAME to read it from",
       text_setting(&C::store)},
      {"audit", "directory of the audit log", text_setting(&C::audit)},
      {"metrics", "HOST:PORT for /healthz, /readyz and /metrics, without TLS",
       text_setting(&C::metrics)},
      {"webhook-ca", "PEM of authorities that vouch for destinations of EPCIS subscriptions",
       text_setting(&C::webhook_ca)},
      {"webhook-private", "HOST:PORT,... of destinations that may be on private addresses",
       set_webhook_private},
      {"threads", "event loops, one thread each", number_setting("threads", &C::threads, 1, 256)},
      {"workers", "threads that write, with a store session each",
       number_setting("workers", &C::workers, 1, kWorkersMax)},
      {"readers", "threads that read and verify, with a store session each",
       number_setting("readers", &C::readers, 1, kWorkersMax)},
      {"connections-max", "connections at once",
       number_setting("connections-max", &C::connections_max, 1, 1'000'000)},
      {"requests-per-second", "of one caller; 0: no limit",
       number_setting("requests-per-second", &C::requests_per_second, 0, 1'000'000)},
      {"grace", "seconds that reading goes on without theriac-keyd",
       seconds_setting("grace", &C::grace)},
      {"stop-timeout", "seconds that work under way has when the server stops",
       seconds_setting("stop-timeout", &C::stop_timeout)},
  };
}

}  // namespace

std::span<const Setting> settings() {
  static const std::vector<Setting> kSettings = make_settings();
  return kSettings;
}

Status read_config_file(const std::string& path, Config& config) {
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

Status check_config(const Config& config) {
  if (config.listen.host.empty()) return bad("listen", "HOST:PORT is missing");
  if (config.tls_cert.empty()) return bad("tls-cert", "is missing");
  if (config.tls_key.empty()) return bad("tls-key", "is missing");
  const auto keyd = runtime::parse_endpoint(config.keyd);
  if (!keyd || keyd->is_unix() || keyd->port == 0) return bad("keyd", "HOST:PORT is missing");
  if (config.cert.empty()) return bad("cert", "is missing");
  if (config.store.empty()) return bad("store", "is missing");
  if (config.audit.empty()) return bad("audit", "is missing");
  if (config.metrics.empty()) return {};
  const auto metrics = runtime::parse_endpoint(config.metrics);
  if (!metrics || metrics->is_unix()) return bad("metrics", "HOST:PORT");
  return {};
}

Result<std::string> resolve(const std::string& setting) {
  constexpr std::string_view kFile = "file:", kEnvironment = "env:";
  if (setting.starts_with(kFile)) {
    THERIAC_ASSIGN(const auto bytes, read_small_file(setting.substr(kFile.size())));
    std::string found(text_of(bytes));
    while (!found.empty() && (found.back() == '\n' || found.back() == '\r')) found.pop_back();
    return found;
  }
  if (setting.starts_with(kEnvironment)) {
    const auto* value = std::getenv(setting.substr(kEnvironment.size()).c_str());
    if (value == nullptr) return fail(Code::kPolicyInvalid, "no such variable");
    return std::string(value);
  }
  return setting;
}

}  // namespace theriac::api
