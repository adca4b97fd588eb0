#include "keys/config.hpp"

#include <yaml-cpp/yaml.h>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <set>

#include "base/files.hpp"
#include "keys/limits.hpp"
#include "pki/identity.hpp"

namespace theriac::keys {
namespace {

tl::unexpected<Error> invalid(const std::string& path, const YAML::Mark& mark,
                              const std::string& what) {
  return fail(Code::kPolicyInvalid, path + ":" + std::to_string(mark.line + 1) + ": " + what);
}

template <typename T>
Result<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return fail(Code::kUsage, "number");
  }
  return value;
}

Status read_entry(const std::string& path, const YAML::Node& key, const YAML::Node& value,
                  Config& config) {
  if (!key.IsScalar() || !value.IsScalar()) return invalid(path, key.Mark(), "not a plain value");
  const auto& name = key.Scalar();
  const auto& text = value.Scalar();
  if (name == "state") {
    config.state = text;
  } else if (name == "listen") {
    config.listen = text;
  } else if (name == "passphrase_file") {
    config.passphrase_file = text;
  } else if (name == "tenant") {
    config.tenant = text;
  } else if (name == "lease_seconds") {
    const auto seconds = number_of<std::int64_t>(text);
    if (!seconds) return invalid(path, value.Mark(), name);
    config.lease_seconds = *seconds;
  } else {
    return invalid(path, key.Mark(), "unknown key");
  }
  return {};
}

}  // namespace

Status read_config(const std::string& path, Config& config) {
  THERIAC_ASSIGN(const auto bytes, read_small_file(path));
  try {
    const auto root = YAML::Load(std::string(text_of(bytes)));
    if (!root.IsMap()) return invalid(path, root.Mark(), "not a mapping");
    std::set<std::string> seen;
    for (const auto& entry : root) {
      THERIAC_TRY(read_entry(path, entry.first, entry.second, config));
      if (!seen.insert(entry.first.Scalar()).second) {
        return invalid(path, entry.first.Mark(), "doubled key");
      }
    }
  } catch (const YAML::Exception& error) {
    return invalid(path, error.mark, "not YAML");
  }
  return {};
}

Status check_config(const Config& config) {
  if (config.state.empty()) return fail(Code::kUsage, "state");
  if (config.passphrase_file.empty()) return fail(Code::kUsage, "passphrase-file");
  if (!pki::is_valid_name(config.tenant)) return fail(Code::kUsage, "tenant");
  if (config.lease_seconds * 1000 < kLeaseMsMin || config.lease_seconds * 1000 > kLeaseMsMax) {
    return fail(Code::kUsage, "lease-seconds: 2 to 300");
  }
  THERIAC_TRY(parse_address(config.listen));
  return {};
}

Result<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(Code::kUsage, "listen: HOST:PORT");
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  const auto port = number_of<std::uint16_t>(text.substr(colon + 1));
  if (error || !port) return fail(Code::kUsage, "listen: an IP address and a port");
  return Address{std::string(host), *port};
}

}  // namespace theriac::keys
