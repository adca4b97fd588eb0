#include "gateway/pass_session.hpp"

#include <gtest/gtest.h>

#include "gateway/gateway_config.hpp"

namespace theriac::gateway {
namespace {

Bytes message(char tag, std::string_view body) {
  Bytes out;
  pgwire::write_message(out, tag, view_of(body));
  return out;
}
Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const auto& part : parts) append(out, part);
  return out;
}

TEST(PassSession, CountsMessagesAndPassesAllBytesAtEverySplit) {
  const auto client = joined({message('P', "statement"), message('B', ""), message('S', ""),
                              message('d', std::string(300, 'x'))});
  const auto server = joined({message('1', ""), message('D', std::string(200, 'y')),
                              message('Z', "I"), message('N', "note"), message('Z', "T")});
  for (std::size_t a = 0; a <= server.size(); ++a) {
    for (std::size_t b = a; b <= server.size(); b += 7) {
      LoopMetrics metrics;
      PassSession session(metrics);
      const ByteView all(server);
      EXPECT_EQ(session.pass_from_server(all.first(a)), a);
      EXPECT_EQ(session.pass_from_server(all.subspan(a, b - a)), b - a);
      EXPECT_EQ(session.pass_from_server(all.subspan(b)), server.size() - b);
      EXPECT_EQ(metrics.messages_from_server.get(), 5U);
      EXPECT_FALSE(session.is_idle()) << "in a transaction";
    }
  }
  for (std::size_t a = 0; a <= client.size(); ++a) {
    LoopMetrics metrics;
    PassSession session(metrics);
    EXPECT_EQ(session.pass_from_client(ByteView(client).first(a)), a);
    EXPECT_EQ(session.pass_from_client(ByteView(client).subspan(a)), client.size() - a);
    EXPECT_EQ(metrics.messages_from_client.get(), 4U);
  }
}

TEST(PassSession, IsIdleBetweenReadyAndTheNextRequest) {
  LoopMetrics metrics;
  PassSession session(metrics);
  EXPECT_FALSE(session.is_idle());
  session.pass_from_server(message('Z', "I"));
  EXPECT_TRUE(session.is_idle());
  session.pass_from_client(message('Q', "select"));
  EXPECT_FALSE(session.is_idle());
  const auto ready = message('Z', "I");
  session.pass_from_server(ByteView(ready).first(ready.size() - 1));
  EXPECT_FALSE(session.is_idle());
  session.pass_from_server(ByteView(ready).last(1));
  EXPECT_TRUE(session.is_idle());
  // A notice by itself does not begin work, but until the next ReadyForQuery nobody knows.
  const auto notice = message('N', "x");
  session.pass_from_server(ByteView(notice).first(3));
  EXPECT_FALSE(session.is_idle());
}

TEST(PassSession, BrokenLengthEndsTheSessionWithATypedError) {
  for (const std::uint32_t length : {0U, 3U, 0x40000005U, 0xffffffffU}) {
    for (const std::size_t cut : {0U, 2U, 7U}) {
      LoopMetrics metrics;
      PassSession session(metrics);
      auto bytes = message('Q', "");
      const auto good = bytes.size();
      bytes.push_back('Q');
      append_be(bytes, length);
      const ByteView all(bytes);
      const auto head = std::min(cut, good);
      EXPECT_EQ(session.pass_from_client(all.first(head)), head);
      EXPECT_EQ(session.pass_from_client(all.subspan(head)), good - head);
      Io io;
      session.from_client(all.subspan(good), io);
      EXPECT_TRUE(io.finished);
      EXPECT_TRUE(io.to_server.empty());
      EXPECT_NE(text_of(io.to_client).find("08P01"), std::string_view::npos);
      EXPECT_EQ(metrics.errors[static_cast<std::size_t>(Code::kProtocol)].get(), 1U);
    }
  }
}

TEST(PassSession, LongestMessageIsAllowed) {
  LoopMetrics metrics;
  PassSession session(metrics);
  Bytes head{'Q'};
  append_be(head, pgwire::kMessageBytesMax + 4);
  EXPECT_EQ(session.pass_from_client(head), head.size());
}

TEST(PassSession, NoErrorIsPutIntoTheMiddleOfAMessage) {
  LoopMetrics metrics;
  PassSession session(metrics);
  const auto row = message('D', "half of it");
  session.pass_from_server(ByteView(row).first(8));
  Io io;
  session.from_client(Bytes{'Q', 0, 0, 0, 0}, io);
  EXPECT_TRUE(io.finished);
  EXPECT_TRUE(io.to_client.empty());
}

TEST(Metrics, AreSummedOverLoopsInPrometheusText) {
  std::vector<std::unique_ptr<LoopMetrics>> loops;
  loops.push_back(std::make_unique<LoopMetrics>());
  loops.push_back(std::make_unique<LoopMetrics>());
  loops[0]->bytes_from_client.add(40);
  loops[1]->bytes_from_client.add(2);
  loops[1]->error(Code::kTimeout);
  const auto text = metrics_text(loops, "more 1\n");
  EXPECT_NE(text.find("theriac_gateway_bytes_total{from=\"client\"} 42\n"), std::string::npos);
  EXPECT_NE(text.find("theriac_gateway_errors_total{code=\"Timeout\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("# TYPE theriac_gateway_sessions gauge\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("more 1\n"));
  // Each family is described once.
  EXPECT_EQ(text.find("# TYPE theriac_gateway_bytes_total"),
            text.rfind("# TYPE theriac_gateway_bytes_total"));
}

}  // namespace
}  // namespace theriac::gateway
