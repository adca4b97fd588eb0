// Whole connections in simulation: a server that hears the input, and a client that is answered
// with it, on links that cut it as a seed says. They must end, and however the bytes were cut the
// server says the same.
#include <cstdint>

#include "http/client.hpp"
#include "http/stage.hpp"

namespace {

using namespace theriac;        // NOLINT
using namespace theriac::http;  // NOLINT

runtime::Task<Response> swallow(Request* request) {
  Bytes piece(7);
  std::size_t total = 0;
  while (true) {
    const auto count = co_await request->reader->read(piece);
    if (!count) co_return problem_of(count.error());
    if (*count == 0) break;
    total += *count;
  }
  co_return Response::with(200, "text/plain", std::to_string(total));
}

Response echo(Request& request) {
  std::string text(request.path_part("a"));
  for (const auto& [key, value] : request.query.pairs()) text += key + value;
  return Response::with(200, "text/plain", text + std::string(text_of(request.body)));
}

Router router() {
  Router made;
  Route get{.method = "GET", .pattern = "/{a...}", .handler = echo, .encoded_slashes = true};
  Route post{.method = "POST", .pattern = "/{a}", .handler = echo, .body_bytes_max = 50};
  Route put{.method = "PUT",
            .pattern = "/{a}",
            .async = swallow,
            .body_bytes_max = 100,
            .streams_body = true};
  THERIAC_ASSERT(made.add(std::move(get)) && made.add(std::move(post)) && made.add(std::move(put)));
  return made;
}

/// What the server says, without what differs from run to run.
std::string serve(std::string_view input, std::uint64_t seed, std::size_t piece) {
  Limits limits;
  limits.idle = limits.head = limits.transfer = std::chrono::seconds(2);
  Stage stage(router(), {.limits = limits}, seed,
              {.delay_max_ms = 0, .chunk_bytes_max = piece, .read_bytes_max = piece});
  auto client = stage.connect();
  stage.send(client, std::string(input));
  THERIAC_ASSERT(stage.run([&] { return client.talk->end.has_value(); }, 600'000));
  client.stream->close();
  THERIAC_ASSERT(stage.run([&] { return stage.shard().connections() == 0; }, 600'000));
  // Said only to a client that waits for it, which is a matter of cuts.
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  auto& received = client.talk->received;
  for (auto at = received.find(kContinue); at != std::string::npos; at = received.find(kContinue)) {
    received.erase(at, kContinue.size());
  }
  std::string said;
  for (std::string_view rest = received; !rest.empty();) {
    const auto end = std::min(rest.find("\r\n"), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    if (!line.starts_with("X-Request-Id") && !line.starts_with("Date") &&
        line.find("urn:theriac:request") == std::string_view::npos) {
      said.append(line).append("\n");
    }
  }
  return said;
}

runtime::Task<void> recite(std::unique_ptr<runtime::Stream> stream, std::string bytes) {
  Bytes buffer(4096);
  if (!co_await stream->read_some(buffer)) co_return;
  static_cast<void>(co_await stream->write(view_of(bytes)));
  stream->shutdown_write();
  while (co_await stream->read_some(buffer)) {
  }
}

runtime::Task<void> ask(Client* client, std::optional<Result<ClientReply>>* reply) {
  reply->emplace(co_await client->ask({}));
}

std::string answer(std::string_view input, std::uint64_t seed, std::size_t piece) {
  runtime::SimWorld world(seed,
                          {.delay_max_ms = 0, .chunk_bytes_max = piece, .read_bytes_max = piece});
  world.listen("h:80", [&](std::unique_ptr<runtime::Stream> stream) {
    world.loop().spawn("server", recite(std::move(stream), std::string(input)));
  });
  auto client = Client::make(world.loop(), world.dialer(),
                             {.server = {.host = "h", .port = 80},
                              .idle = std::chrono::seconds(2),
                              .reply_bytes_max = 100});
  THERIAC_ASSERT(client.has_value());
  std::optional<Result<ClientReply>> reply;
  world.loop().spawn("client", ask(client->get(), &reply));
  THERIAC_ASSERT(world.run_until([&] { return reply.has_value(); }, 600'000));
  client->reset();
  world.run_until([] { return false; }, 2000);  // the server sees that the client went
  if (!*reply) return std::string(info_of(reply->error().code).name);
  THERIAC_ASSERT((*reply)->status >= 200 && (*reply)->body.size() <= 100);
  return std::to_string((*reply)->status) + std::string(text_of((*reply)->body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto input = text_of({data + 1, size - 1});
  const std::size_t piece = 1 + data[0] / 2U;
  if (data[0] % 2 == 0) {
    THERIAC_ASSERT(serve(input, 1, piece) == serve(input, 2, size));
  } else {
    THERIAC_ASSERT(answer(input, 1, piece) == answer(input, 2, size));
  }
  return 0;
}
