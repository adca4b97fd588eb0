// A server and its clients in simulation: for tests only.
//
// Threading: one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/server.hpp"
#include "runtime/sim.hpp"

namespace theriac::http {

/// One side of a talk, filled by the coroutines below.
struct Talk {
  std::string received;
  std::optional<Error> end;  ///< how reading ended
  std::optional<Error> write_error;
};

/// Reads until the end of the stream.
inline runtime::Task<void> read_replies(runtime::Stream* stream, std::shared_ptr<Talk> talk) {
  Bytes buffer(4096);
  while (true) {
    const auto count = co_await stream->read_some(buffer);
    if (!count) {
      talk->end = count.error();
      co_return;
    }
    talk->received += text_of(ByteView(buffer).first(*count));
  }
}

inline runtime::Task<void> write_request(runtime::Stream* stream, std::string bytes,
                                         std::shared_ptr<Talk> talk) {
  const auto written = co_await stream->write(view_of(bytes));
  if (!written) talk->write_error = written.error();
}

inline std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

class Stage {
 public:
  explicit Stage(Router router, ServiceOptions options = {}, std::uint64_t seed = 1,
                 runtime::SimFaults faults = {})
      : world_(seed, faults) {
    auto made = Service::make(std::move(router), std::move(options));
    THERIAC_ASSERT(made.has_value());
    service_ = std::move(*made);
    shard_ = std::make_unique<Shard>(*service_, world_.loop());
  }

  /// What still waits in simulation holds itself: connections must end before the world does.
  ~Stage() {
    world_.loop().spawn("stop", shard_->stop(std::chrono::milliseconds(1)));
    THERIAC_ASSERT(run([this] { return shard_->connections() == 0; }));
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// A new connection's client end, with its reader at work.
  struct Client {
    std::unique_ptr<runtime::Stream> stream;
    std::shared_ptr<Talk> talk;
  };
  Client connect() {
    auto [near, far] = world_.link();
    shard_->take(std::move(far));
    auto talk = std::make_shared<Talk>();
    world_.loop().spawn("client reads", read_replies(near.get(), talk));
    return {std::move(near), std::move(talk)};
  }
  void send(Client& client, std::string bytes) {
    world_.loop().spawn("client writes",
                        write_request(client.stream.get(), std::move(bytes), client.talk));
  }
  bool run(const std::function<bool()>& done, std::int64_t within_ms = 60'000) {
    return world_.run_until(done, within_ms);
  }
  /// Sends it all on one connection and reads until the server ends it.
  std::string ask(std::string bytes) {
    auto client = connect();
    send(client, std::move(bytes));
    run([&] { return client.talk->end.has_value(); });
    return client.talk->received;
  }
  runtime::SimWorld& world() { return world_; }
  Shard& shard() { return *shard_; }
  Service& service() { return *service_; }

 private:
  std::unique_ptr<Service> service_;
  std::unique_ptr<Shard> shard_;
  runtime::SimWorld world_;  // last: its coroutines go first
};

}  // namespace theriac::http
