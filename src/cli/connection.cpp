#include "cli/connection.hpp"

#include <fmt/format.h>
#include <charconv>

#include "pki/credentials.hpp"

namespace theriac::cli {
namespace {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

Result<HostPort> split(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(Code::kUsage, "--keyd HOST:PORT");
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || host.empty() || port == 0) {
    return fail(Code::kUsage, "--keyd HOST:PORT");
  }
  return HostPort{std::string(host), port};
}

Status has_certificates(const Connection& connection) {
  if (connection.certificates.empty()) return fail(Code::kUsage, "--cert DIR");
  return {};
}

}  // namespace

void add_connection_options(CLI::App& command, Connection& connection) {
  command.add_option("--keyd", connection.keyd, "key service, HOST:PORT")
      ->envname("THERIAC_KEYD")
      ->capture_default_str();
  command
      .add_option("--cert", connection.certificates,
                  "directory with cert.pem, key.pem and ca.pem (theriac-keyd enrol)")
      ->envname("THERIAC_CERT");
}

Result<lease::Channel> connect(const Connection& connection, Clock& clock) {
  THERIAC_TRY(has_certificates(connection));
  THERIAC_ASSIGN(const auto address, split(connection.keyd));
  THERIAC_ASSIGN(const auto credentials,
                 pki::load_credentials(pki::CredentialPaths::in(connection.certificates)));
  return lease::Channel::connect(address.host, address.port, credentials, clock);
}

Result<lease::ClientOptions> lease_options(
    const Connection& connection, std::vector<std::pair<std::string, std::uint32_t>> classes) {
  THERIAC_TRY(has_certificates(connection));
  THERIAC_ASSIGN(const auto address, split(connection.keyd));
  const auto paths = pki::CredentialPaths::in(connection.certificates);
  THERIAC_ASSIGN(const auto credentials, pki::load_credentials(paths));
  THERIAC_ASSIGN(const auto identity, credentials.certificate.identity());
  lease::ClientOptions options;
  options.host = address.host;
  options.port = address.port;
  options.certificate_file = paths.certificate;
  options.key_file = paths.key;
  options.ca_file = paths.authority;
  options.tenant = identity.tenant;
  options.classes = std::move(classes);
  return options;
}

int report_failure(std::string_view command, const Error& error) {
  fmt::print(stderr, "{}: {}: {}\n", command, info_of(error.code).name, error.message());
  return error.code == Code::kUsage ? 2 : 1;
}

}  // namespace theriac::cli
