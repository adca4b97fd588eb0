// A static reply over TLS 1.3, for bench/http_static.py beside nginx.
// usage: http_server PORT CERTIFICATE KEY BODY_BYTES
#include <charconv>
#include <csignal>
#include <cstdio>
#include <string>

#include "base/clock.hpp"
#include "crypto/random.hpp"
#include "http/server.hpp"

int main(int argc, char** argv) {
  using namespace theriac;  // NOLINT
  if (argc < 5) return 2;
  const auto number = [](const char* text) {
    unsigned value = 0;
    std::from_chars(text, text + std::string_view(text).size(), value);
    return value;
  };
  const SystemClock clock;
  crypto::SystemRandom random;
  FdLog log("http_server");
  runtime::EventLoops loops(1, clock, random, log);

  const auto body = std::make_shared<const Bytes>(number(argv[4]), 'x');
  http::Router router;
  const auto added =
      router.add({.method = "GET", .pattern = "/", .handler = [body](http::Request&) {
                    return http::Response{200, {{"Content-Type", "text/plain"}}, body};
                  }});
  auto service = http::Service::make(std::move(router), {});
  if (!added || !service) return 1;
  http::ListenOptions options;
  options.at = {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(number(argv[1]))};
  options.tls = runtime::TlsServerOptions{.certificate_file = argv[2], .key_file = argv[3]};
  auto server = http::Server::start(loops, **service, std::move(options));
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message().c_str());
    return 1;
  }
  const auto signals = runtime::ProcessSignals::make(loops.at(0), {SIGTERM, SIGINT}, [&](int) {
    (*server)->stop(std::chrono::seconds(2), [&] { loops.stop(); });
  });
  loops.run();
  return signals ? 0 : 1;
}
