// Plays one half of SCRAM, line by line, for a test that moves the messages. Keys are hexadecimal,
// messages too; an answer is "ok ..." or "error NAME".
//
//   client CLIENT-KEY SERVER-KEY   -> ok MECHANISM CLIENT-FIRST
//   answer SERVER-FIRST            -> ok CLIENT-FINAL
//   verify SERVER-FINAL            -> ok
//   server ROLPASSWORD             -> ok
//   first MECHANISM CLIENT-FIRST   -> ok SERVER-FIRST
//   final CLIENT-FINAL             -> ok SERVER-FINAL CLIENT-KEY SERVER-KEY
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <random>
#include <sstream>

#include "pgwire/scram.hpp"

namespace theriac {

class TestSecretAccess {
 public:
  static std::string hex(const Key256& key) { return to_hex(key.reveal(SecretAccess{})); }
};

namespace {

class DeviceRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(device_());
  }

 private:
  std::random_device device_;
};

DeviceRandom random_source;
std::unique_ptr<pgwire::ScramClient> client;
std::unique_ptr<pgwire::ScramServer> server;

std::string hex_of(std::string_view text) { return to_hex(view_of(text)); }

Result<std::string> text_from(const std::string& hex) {
  THERIAC_ASSIGN(const auto bytes, from_hex(hex));
  return std::string(text_of(bytes));
}
Result<Key256> key_from(const std::string& hex) {
  THERIAC_ASSIGN(const auto bytes, from_hex(hex));
  if (bytes.size() != Key256::kSize) return fail(Code::kUsage);
  return Key256(std::span<const std::uint8_t, 32>(bytes.data(), Key256::kSize));
}

Result<std::string> play_client(const std::string& act, const std::string& a,
                                const std::string& b) {
  if (act == "client") {
    THERIAC_ASSIGN(auto client_key, key_from(a));
    THERIAC_ASSIGN(auto server_key, key_from(b));
    client = std::make_unique<pgwire::ScramClient>(
        pgwire::ScramKeys{std::move(client_key), std::move(server_key)}, Bytes{}, random_source);
    const auto mechanism = std::string(client->mechanism());
    return mechanism + " " + hex_of(client->first());
  }
  if (!client) return fail(Code::kUsage);
  THERIAC_ASSIGN(const auto message, text_from(a));
  if (act == "answer") {
    THERIAC_ASSIGN(const auto final, client->final(message));
    return hex_of(final);
  }
  THERIAC_TRY(client->verify(message));
  return "";
}

Result<std::string> play_server(const std::string& act, const std::string& a,
                                const std::string& b) {
  if (act == "server") {
    THERIAC_ASSIGN(auto verifier, pgwire::parse_verifier(a));
    server =
        std::make_unique<pgwire::ScramServer>(std::move(verifier), Bytes{}, false, random_source);
    return "";
  }
  if (!server) return fail(Code::kUsage);
  if (act == "first") {
    THERIAC_ASSIGN(const auto message, text_from(b));
    THERIAC_ASSIGN(const auto first, server->first(a, message));
    return hex_of(first);
  }
  THERIAC_ASSIGN(const auto message, text_from(a));
  THERIAC_ASSIGN(const auto final, server->final(message));
  THERIAC_ASSIGN(auto keys, server->keys());
  return hex_of(final) + " " + TestSecretAccess::hex(keys.client_key) + " " +
         TestSecretAccess::hex(keys.server_key);
}

}  // namespace
}  // namespace theriac

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::string act, a, b;
    in >> act >> a >> b;
    const bool client_act = act == "client" || act == "answer" || act == "verify";
    const auto made =
        client_act ? theriac::play_client(act, a, b) : theriac::play_server(act, a, b);
    std::cout << (made ? "ok " + *made
                       : "error " + std::string(theriac::info_of(made.error().code).name))
              << '\n'
              << std::flush;
  }
  return 0;
}
