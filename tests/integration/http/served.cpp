// A server for http_test.py: says what it was asked, in every way the library can.
// usage: http_served CERTIFICATE KEY [AUTHORITY [required]]
// Prints its port; ends on SIGTERM; SIGHUP reads the certificate again.
#include <csignal>
#include <cstdio>
#include <string>

#include "base/clock.hpp"
#include "codec/json.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "http/events.hpp"
#include "http/server.hpp"

namespace {

using namespace theriac;        // NOLINT
using namespace theriac::http;  // NOLINT

Response say(Request& request) {
  codec::Json query = codec::Json::array();
  for (const auto& [key, value] : request.query.pairs()) query.push_back({key, value});
  codec::Json path = codec::Json::object();
  for (const auto& [name, value] : request.path) path[std::string(name)] = value;
  const codec::Json said{
      {"method", std::string(request.method)},
      {"path", path},
      {"query", query},
      {"host", std::string(request.host)},
      {"peer", std::string(request.peer)},
      {"agent", std::string(request.field("User-Agent").value_or(""))},
      {"certificate", request.certificate == nullptr ? "" : request.certificate->fingerprint},
      {"sha256", to_hex(crypto::sha256(request.body))},
      {"bytes", request.body.size()}};
  return Response::json(200, codec::canonical_json(said));
}

runtime::Task<Response> digest(Request* request) {
  crypto::Hasher hasher(crypto::HashKind::kSha256);
  Bytes piece(10'000);
  while (true) {
    const auto count = co_await request->reader->read(piece);
    if (!count) co_return problem_of(count.error());
    if (*count == 0) break;
    hasher.update(ByteView(piece).first(*count));
  }
  co_return Response::with(200, "text/plain", to_hex(hasher.finish()));
}

runtime::Task<Status> lines(BodyWriter* out) {
  for (int i = 0; i < 10'000; ++i) {
    const auto line = "line " + std::to_string(i) + "\n";
    const auto written = co_await out->write(view_of(line));
    if (!written) co_return fail(written.error());
  }
  co_return Status{};
}

Response three_events(Request&) {
  auto feed = std::make_shared<EventFeed>();
  for (const auto* data : {"one", "two\nlines", "three"}) {
    static_cast<void>(feed->push({.name = "count", .data = data}));
  }
  feed->end();
  return event_response(std::move(feed));
}

Result<Router> routes(Service** service) {
  Router router;
  for (const auto* method : {"GET", "POST", "PUT", "DELETE", "PATCH"}) {
    THERIAC_TRY(router.add({.method = method,
                            .pattern = "/say/{one}",
                            .handler = say,
                            .body_bytes_max = 1'000'000,
                            .encoded_slashes = true}));
  }
  THERIAC_TRY(router.add({.method = "GET", .pattern = "/", .handler = say}));
  THERIAC_TRY(
      router.add({.method = "GET", .pattern = "/pool", .handler = say, .runs = Runs::kInPool}));
  THERIAC_TRY(router.add({.method = "PUT",
                          .pattern = "/digest",
                          .async = digest,
                          .body_bytes_max = 100U << 20U,
                          .streams_body = true}));
  THERIAC_TRY(router.add({.method = "GET", .pattern = "/lines", .handler = [](Request&) {
                            return Response{200, {}, Producer(lines)};
                          }}));
  THERIAC_TRY(router.add({.method = "GET", .pattern = "/events", .handler = three_events}));
  THERIAC_TRY(router.add({.method = "GET", .pattern = "/large", .handler = [](Request&) {
                            return Response{200, {}, std::make_shared<const Bytes>(5'000'000, 'L')};
                          }}));
  THERIAC_TRY(router.add(
      {.method = "GET", .pattern = "/members", .handler = say, .needs_certificate = true}));
  THERIAC_TRY(router.add({.method = "GET", .pattern = "/metrics", .handler = [service](Request&) {
                            return Response::with(200, "text/plain; version=0.0.4",
                                                  (*service)->metrics().prometheus());
                          }}));
  return router;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const SystemClock clock;
  crypto::SystemRandom random;
  FdLog log("http_served");
  if (!runtime::ProcessSignals::block({SIGTERM, SIGHUP})) return 1;
  runtime::BlockingPool pool(2, 100);
  std::unique_ptr<Service> service;
  Service* known = nullptr;
  runtime::EventLoops loops(2, clock, random, log);
  auto router = routes(&known);
  if (!router) return 1;
  Limits limits;
  limits.head = std::chrono::seconds(2);
  limits.idle = std::chrono::seconds(5);
  auto made = Service::make(std::move(*router), {.limits = limits, .pool = &pool});
  if (!made) return 1;
  service = std::move(*made);
  known = service.get();
  ListenOptions options{.at = {.host = "127.0.0.1"}};
  options.tls = runtime::TlsServerOptions{.certificate_file = argv[1], .key_file = argv[2]};
  if (argc > 3) options.tls->client_authority_file = argv[3];
  options.tls->client_required = argc > 4;
  auto server = Server::start(loops, *service, std::move(options));
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message().c_str());
    return 1;
  }
  const auto signals =
      runtime::ProcessSignals::make(loops.at(0), {SIGTERM, SIGHUP}, [&](int which) {
        if (which == SIGTERM)
          return (*server)->stop(std::chrono::seconds(3), [&] { loops.stop(); });
        std::printf("%s\n", (*server)->replace_tls() ? "replaced" : "kept");
        std::fflush(stdout);
      });
  if (!signals) return 1;
  std::printf("%u\n", (*server)->port());
  std::fflush(stdout);
  loops.run();
  return 0;
}
