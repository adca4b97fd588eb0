#include "line/config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <set>

#include "line/limits.hpp"

namespace theriac::line {
namespace {

Status number(std::string_view text, std::int64_t least, std::int64_t most, std::int64_t& into) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return fail(Code::kPolicyInvalid, fmt::format("{} to {} is wanted", least, most));
  }
  into = value;
  return {};
}

Status set_server(Config& config, std::string_view value) {
  auto endpoint = runtime::parse_endpoint(value);
  if (!endpoint || endpoint->is_unix() || endpoint->port == 0) {
    return fail(Code::kPolicyInvalid, "HOST:PORT is wanted");
  }
  config.server = std::move(*endpoint);
  return {};
}

/// "9506000140018", or with the extension of an SGLN: "9506000140018.12".
void set_place(Config& config, std::string_view value) {
  const auto dot = value.find('.');
  config.gln = value.substr(0, dot);
  config.extension = dot == std::string_view::npos ? "" : value.substr(dot + 1);
}

Status set(Config& config, std::string_view key, const std::string& value) {
  constexpr std::int64_t kMinuteMs = 60'000;
  if (key == "server") return set_server(config, value);
  if (key == "stock") return number(value, 1, kStockMax, config.stock);
  if (key == "stock-hours") return number(value, 1, kStockHoursMax, config.stock_hours);
  if (key == "settle-ms") return number(value, 0, kMinuteMs, config.settle_ms);
  if (key == "patience-ms") return number(value, 0, kMinuteMs, config.patience_ms);
  if (key == "server-ca") {
    config.server_ca = value;
  } else if (key == "cert") {
    config.cert = value;
  } else if (key == "folder") {
    config.folder = value;
  } else if (key == "place") {
    set_place(config, value);
  } else {
    return fail(Code::kPolicyInvalid, "no setting has this name");
  }
  return {};
}

Status check(const Config& config) {
  const auto missing = [](const char* name) {
    return fail(Code::kPolicyInvalid, fmt::format("{} is missing", name));
  };
  if (config.server.host.empty()) return missing("server");
  if (config.cert.empty()) return missing("cert");
  if (config.folder.empty()) return missing("folder");
  if (config.gln.empty()) return missing("place");
  return {};
}

}  // namespace

Result<Config> read_config(const std::string& path) {
  YAML::Node root;
  try {
    root = YAML::LoadFile(path);
  } catch (const YAML::Exception& problem) {
    return fail(Code::kPolicyInvalid, fmt::format("{} line {}", path, problem.mark.line + 1));
  }
  if (!root.IsMap()) return fail(Code::kPolicyInvalid, path + ": a map of settings is wanted");
  Config config;
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const auto where = fmt::format("{} line {}", path, entry.first.Mark().line + 1);
    if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
      return fail(Code::kPolicyInvalid, where + ": name: value is wanted");
    }
    if (!seen.insert(entry.first.Scalar()).second) return fail(Code::kPolicyInvalid, where);
    if (auto done = set(config, entry.first.Scalar(), entry.second.Scalar()); !done) {
      return fail(done.error().code, where + ": " + done.error().where);
    }
  }
  THERIAC_TRY(check(config));
  if (config.server_ca.empty()) config.server_ca = config.cert + "/ca.pem";
  return config;
}

}  // namespace theriac::line
