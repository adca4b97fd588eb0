// The client against servers that say whatever a test lets them say, in simulation.
#include "http/client.hpp"

#include <gtest/gtest.h>

#include "http/stage.hpp"

namespace theriac::http {
namespace {

using namespace std::chrono_literals;

/// Serves one connection: reads until an empty line, says the next of `replies`, and so on; closes
/// when there is none left.
runtime::Task<void> recite(std::unique_ptr<runtime::Stream> stream,
                           std::vector<std::string> replies, std::shared_ptr<std::string> heard) {
  Bytes buffer(4096);
  for (const auto& said : replies) {
    const auto before = heard->size();
    while (heard->find("\r\n\r\n", before) == std::string::npos) {
      const auto count = co_await stream->read_some(buffer);
      if (!count) co_return;
      *heard += text_of(ByteView(buffer).first(*count));
    }
    if (!co_await stream->write(view_of(said))) co_return;
  }
  stream->shutdown_write();
  // Until the client has gone too.
  while (co_await stream->read_some(buffer)) {
  }
}

runtime::Task<void> ask(Client* client, ClientRequest request,
                        std::optional<Result<ClientReply>>* into) {
  into->emplace(co_await client->ask(std::move(request)));
}

class Reciting : public ::testing::Test {
 protected:
  void TearDown() override { part(); }
  /// What still waits in simulation holds itself: let the servers see that the client went.
  void part() {
    client_.reset();
    if (world_ != nullptr) world_->run_until([] { return false; }, 2000);
  }
  /// Each connection takes the next list of replies.
  void serve(std::vector<std::vector<std::string>> connections, runtime::SimFaults faults = {}) {
    part();
    world_ = std::make_unique<runtime::SimWorld>(5, faults);
    connections_ = std::move(connections);
    taken_ = 0;
    *heard_ = {};
    world_->listen("h:80", [this](std::unique_ptr<runtime::Stream> stream) {
      if (taken_ == connections_.size()) return;
      world_->loop().spawn("server", recite(std::move(stream), connections_[taken_++], heard_));
    });
    client_ = std::move(
        *Client::make(world_->loop(), world_->dialer(),
                      {.server = {.host = "h", .port = 80}, .idle = 5s, .reply_bytes_max = 20}));
  }
  Result<ClientReply> get(ClientRequest request = {}) {
    std::optional<Result<ClientReply>> reply;
    world_->loop().spawn("client", ask(client_.get(), std::move(request), &reply));
    EXPECT_TRUE(world_->run_until([&] { return reply.has_value(); }, 60'000));
    return reply ? *reply : Result<ClientReply>(fail(Code::kInternal));
  }
  std::string said(ClientRequest request = {}) {
    const auto reply = get(std::move(request));
    if (!reply) return std::string(info_of(reply.error().code).name);
    return std::to_string(reply->status) + " " + std::string(text_of(reply->body));
  }

  std::shared_ptr<std::string> heard_ = std::make_shared<std::string>();  // shared with the server
  std::vector<std::vector<std::string>> connections_;
  std::size_t taken_ = 0;
  std::unique_ptr<runtime::SimWorld> world_;
  std::unique_ptr<Client> client_;  // its stream may not outlive the world
};

TEST_F(Reciting, BodiesInEveryFraming) {
  const std::string interim =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a\r\nabc\r\n2\r\nde\r\n0\r\nT: "
      "x\r\n\r\n";
  for (const std::size_t piece : {1U, 1000U}) {
    serve(
        {{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", interim + chunked,
          "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
          "HTTP/1.1 200 OK\r\n\r\nuntil the end"}},
        {.chunk_bytes_max = piece, .read_bytes_max = piece});
    EXPECT_EQ(said(), "200 hello");
    EXPECT_EQ(said(), "200 abcde");
    EXPECT_EQ(said(), "204 ");
    EXPECT_EQ(said(), "404 ");
    EXPECT_EQ(said(), "200 until the end");
    EXPECT_EQ(taken_, 1U) << "one connection";
  }
}

TEST_F(Reciting, RequestsAreWrittenSo) {
  serve({{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}});
  EXPECT_EQ(said({.target = "/a?b=c", .fields = {{"Accept", "x"}}}), "200 ");
  EXPECT_EQ(*heard_, "GET /a?b=c HTTP/1.1\r\nHost: h:80\r\nAccept: x\r\n\r\n");
  heard_->clear();
  EXPECT_EQ(said({.method = "POST"}), "200 ");
  EXPECT_EQ(*heard_, "POST / HTTP/1.1\r\nHost: h:80\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(said({.fields = {{"X", "a\r\nY: b"}}}), "Usage");
}

TEST_F(Reciting, WhatIsNoReplyIsRefused) {
  for (const auto* bad :
       {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"}) {
    serve({{bad}});
    EXPECT_EQ(said(), "Protocol") << bad;
  }
  std::string interim;
  for (int i = 0; i < 20; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  serve({{interim}});
  EXPECT_EQ(said(), "Protocol");
}

TEST_F(Reciting, CutRepliesAreNotWhole) {
  for (const auto* cut :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\n"}) {
    serve({{cut}});
    EXPECT_EQ(said(), "Closed") << cut;
  }
}

TEST_F(Reciting, Limits) {
  serve({{"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n12345678901234567890"}});
  EXPECT_EQ(said(), "200 12345678901234567890");
  for (const auto* large : {"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n123456789012345678901",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                            "chunked\r\n\r\n15\r\n123456789012345678901\r\n0\r\n\r\n",
                            "HTTP/1.1 200 OK\r\n\r\n123456789012345678901"}) {
    serve({{large}});
    EXPECT_EQ(said(), "TooLarge");
    // A download has no limit.
    serve({{large}});
    std::string got;
    EXPECT_EQ(said({.download = [&](ByteView data) -> Status {
                got += text_of(data);
                return {};
              }}),
              "200 ");
    EXPECT_EQ(got.size(), 21U);
  }
}

TEST_F(Reciting, ASilentServerTimesOut) {
  serve({{""}});
  EXPECT_EQ(said(), "Closed");
  serve({{"", "never asked for"}});
  EXPECT_EQ(said(), "Timeout");
  serve({});
  client_ = std::move(
      *Client::make(world_->loop(), world_->dialer(), {.server = {.host = "none", .port = 1}}));
  EXPECT_EQ(said(), "Upstream");
}

TEST_F(Reciting, AKeptConnectionThatEndedIsTriedAgainWhereThatIsSafe) {
  const std::string good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const auto ends = [&] { serve({{good}, {good}, {good}}); };
  ends();
  EXPECT_EQ(said(), "200 ok");
  EXPECT_EQ(said(), "200 ok");
  EXPECT_EQ(taken_, 2U);
  ends();
  EXPECT_EQ(said(), "200 ok");
  EXPECT_EQ(said({.method = "POST"}), "Closed") << "it may have been done";
  EXPECT_EQ(said({.method = "POST"}), "200 ok") << "on a new connection";
  ends();
  EXPECT_EQ(said(), "200 ok");
  EXPECT_EQ(said({.method = "POST", .fields = {{"Idempotency-Key", "k"}}}), "200 ok");
}

TEST_F(Reciting, WhatNobodyAskedForEndsTheConnection) {
  const std::string good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  serve({{good + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"}, {good}});
  EXPECT_EQ(said(), "200 ok");
  EXPECT_EQ(said(), "200 ok") << "not the one that was waiting";
}

}  // namespace
}  // namespace theriac::http
