#include "http/wire.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "http/reading.hpp"

namespace theriac::http {
namespace {

std::string head_of(std::size_t bytes) {
  // "GET / HTTP/1.1", Host, and one field that fills the rest.
  const std::string begin = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  return begin + std::string(bytes - begin.size() - 4, 'x') + "\r\n\r\n";
}

TEST(Wire, RequestIsRead) {
  const std::string text =
      "PUT http://other.example:8443/a/b?c=d HTTP/1.1\r\nHost: h.example\r\nAccept: a, b\r\n"
      "Connection: x, Close\r\nContent-Length: 12\r\nEmpty:\r\n\r\n";
  RequestHead head;
  ASSERT_TRUE(parse_request_head(text, head));
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.form, TargetForm::kAbsolute);
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.authority, "other.example:8443");
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_FALSE(head.keep_alive);
  EXPECT_EQ(head.fields.size(), 5U);
  EXPECT_EQ(find_field(head.fields, "ACCEPT"), "a, b");
  EXPECT_EQ(find_field(head.fields, "empty"), "");
  EXPECT_FALSE(find_field(head.fields, "none"));
}

TEST(Wire, ConnectionsAreKeptAsTheVersionSays) {
  const auto kept = [](const std::string& version, const std::string& fields) {
    RequestHead head;
    const auto text = "GET / " + version + "\r\nHost: h\r\n" + fields + "\r\n";
    EXPECT_TRUE(parse_request_head(text, head));
    return head.keep_alive;
  };
  EXPECT_TRUE(kept("HTTP/1.1", ""));
  EXPECT_FALSE(kept("HTTP/1.1", "Connection: close\r\n"));
  EXPECT_FALSE(kept("HTTP/1.1", "Connection: a\r\nConnection: b,close ,c\r\n"));
  EXPECT_TRUE(kept("HTTP/1.1", "Connection: closed\r\n"));
  EXPECT_FALSE(kept("HTTP/1.0", ""));
  EXPECT_TRUE(kept("HTTP/1.0", "Connection: Keep-Alive\r\n"));
}

TEST(Wire, AHeadIsUsedAgain) {
  RequestHead head;
  ASSERT_TRUE(parse_request_head(
      "POST http://a/ HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
      head));
  EXPECT_TRUE(head.expect_continue);
  ASSERT_TRUE(parse_request_head("GET / HTTP/1.0\r\n\r\n", head));
  EXPECT_FALSE(head.expect_continue);
  EXPECT_EQ(head.framing, Framing::kNone);
  EXPECT_EQ(head.content_length, 0U);
  EXPECT_EQ(head.authority, "");
  EXPECT_TRUE(head.fields.empty());
}

TEST(Wire, LimitsOfHeads) {
  EXPECT_EQ(read_request(head_of(kHeadBytesMax), {}).status, 0);
  EXPECT_EQ(read_request(head_of(kHeadBytesMax + 1), {}).status, 431);
  EXPECT_EQ(read_request(head_of(kHeadBytesMax + 1), {100, kHeadBytesMax}).status, 431);

  const auto with_line = [](std::size_t bytes) {
    const std::string begin = "GET /";
    const std::string end = " HTTP/1.1\r\n";
    return begin + std::string(bytes - begin.size() - end.size(), 'a') + end + "Host: h\r\n\r\n";
  };
  EXPECT_EQ(read_request(with_line(kStartLineBytesMax), {}).status, 0);
  EXPECT_EQ(read_request(with_line(kStartLineBytesMax + 1), {}).status, 414);

  const auto with_fields = [](std::size_t count) {
    std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (std::size_t i = 1; i < count; ++i) text += "A: b\r\n";
    return text + "\r\n";
  };
  EXPECT_EQ(read_request(with_fields(kFieldsMax), {}).status, 0);
  EXPECT_EQ(read_request(with_fields(kFieldsMax + 1), {}).status, 431);
}

TEST(Wire, LimitsOfChunks) {
  const auto status = [](const std::string& body) {
    return read_request("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body,
                        {})
        .status;
  };
  const auto digits = [](std::size_t count) { return std::string(count - 1, '0') + "1"; };
  EXPECT_EQ(status(digits(kChunkSizeDigitsMax) + "\r\na\r\n0\r\n\r\n"), 0);
  EXPECT_EQ(status(digits(kChunkSizeDigitsMax + 1) + "\r\na\r\n0\r\n\r\n"), 400);
  // Counted over all chunks, with the line's CR.
  const auto extended = [](std::size_t bytes) {
    std::string text;
    for (; bytes > 100; bytes -= 100) text += "1;" + std::string(99, 'x') + "\r\na\r\n";
    return text + "0;" + std::string(bytes - 1, 'x') + "\r\n\r\n";
  };
  EXPECT_EQ(status(extended(kChunkExtensionBytesMax)), 0);
  EXPECT_EQ(status(extended(kChunkExtensionBytesMax + 1)), 431);
  const auto trailed = [](std::size_t bytes) {  // with line ends and the last CR
    return "0\r\nA:" + std::string(bytes - 5, 'x') + "\r\n\r\n";
  };
  EXPECT_EQ(status(trailed(kTrailerBytesMax)), 0);
  EXPECT_EQ(status(trailed(kTrailerBytesMax + 1)), 431);
}

TEST(Wire, Responses) {
  const auto read = [](const std::string& text, bool to_head = false) -> Wire<ResponseHead> {
    ResponseHead head;
    auto parsed = parse_response_head(text, to_head, head);
    if (!parsed) return tl::unexpected<Refusal>(parsed.error());
    return head;
  };
  const auto plain = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->status, 200);
  EXPECT_EQ(plain->framing, Framing::kLength);
  EXPECT_TRUE(plain->keep_alive);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true)->framing, Framing::kNone);
  EXPECT_EQ(read("HTTP/1.1 204 No Content\r\n\r\n")->framing, Framing::kNone);
  EXPECT_EQ(read("HTTP/1.1 304 \r\nContent-Length: 3\r\n\r\n")->framing, Framing::kNone);
  EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\n")->framing, Framing::kNone);
  EXPECT_EQ(read("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n")->framing,
            Framing::kChunked);
  const auto open = read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(open->framing, Framing::kUntilClose);
  EXPECT_FALSE(open->keep_alive);
  for (const auto* bad :
       {"HTTP/1.1 200\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"}) {
    EXPECT_FALSE(read(bad)) << bad;
  }
}

TEST(Wire, HeadsAreWritten) {
  Bytes out;
  auto writer = HeadWriter::response(out, 201);
  EXPECT_TRUE(writer.field("Location", "/a"));
  writer.content_length(0);
  writer.end();
  EXPECT_EQ(text_of(out), "HTTP/1.1 201 Created\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n");
  out.clear();
  HeadWriter::response(out, 299).end();
  EXPECT_EQ(text_of(out), "HTTP/1.1 299 \r\n\r\n");
}

TEST(Wire, NoFieldSplitsAMessage) {
  using namespace std::string_literals;
  Bytes out;
  auto writer = HeadWriter::response(out, 200);
  const auto before = out;
  for (const auto& name : {""s, "a b"s, "a:"s, "a\r\nb"s, "a\0"s, "\xc3\xa4"s}) {
    EXPECT_EQ(writer.field(name, "x").error().code, Code::kInternal);
  }
  for (const auto& value :
       {"a\r\nSet-Cookie: b"s, "a\nb"s, "a\rb"s, "a\0b"s, " a"s, "a "s, "\x7f"s}) {
    EXPECT_EQ(writer.field("A", value).error().code, Code::kInternal);
  }
  EXPECT_EQ(out, before);
  for (const auto& target : {""s, "/a b"s, "/a\r\n"s, "/#"s, "/\xc3\xa4"s}) {
    EXPECT_FALSE(HeadWriter::request(out, "GET", target)) << target;
  }
  EXPECT_FALSE(HeadWriter::request(out, "GE T", "/"));
}

TEST(Wire, ChunksAreReadAsWritten) {
  EXPECT_TRUE(rc::check("decode(encode(x)) == x, however cut", [](const Bytes& body) {
    Bytes out = bytes_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    const auto size = body.empty() ? 1 : *rc::gen::inRange<std::size_t>(1, body.size() + 1);
    for (std::size_t at = 0; at < body.size(); at += size) {
      append_chunk(out, ByteView(body).subspan(at, std::min(size, body.size() - at)));
    }
    append_chunk(out, {});
    append_last_chunk(out);
    const auto cut = *rc::gen::inRange<std::size_t>(0, out.size());
    const auto read = read_request(text_of(out), {cut});
    RC_ASSERT(read.status == 0);
    RC_ASSERT(read.body == text_of(body));
    RC_ASSERT(read.used == out.size());
  }));
}

TEST(Wire, Dates) {
  EXPECT_EQ(http_date(784'111'777'000), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110, 5.6.7
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace theriac::http
