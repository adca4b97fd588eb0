// Messages that two programs might frame differently, from public collections: PortSwigger's
// request smuggling papers (CL.TE, TE.CL, TE.TE, 0.CL), the HTTP Garden's list of bugs found,
// the cases of llhttp, gunicorn and Go's net/http, the advisories named. Each row: bytes -> the
// status they are refused with, or what of them is the body and how much is used. Every row is
// read whole, cut at every place, and byte by byte.
#include <gtest/gtest.h>

#include "http/reading.hpp"

namespace theriac::http {
namespace {

using namespace std::string_literals;

TEST(Smuggling, LengthAndCodingTogether) {
  const std::vector<Row> rows{
      {"CL.TE", post("Content-Length: 13\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nSMUGGLED")},
      {"TE.CL",
       post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "8\r\nSMUGGLED\r\n0\r\n\r\n")},
      {"TE first", post("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", "0\r\n\r\nG")},
      {"CL 0 and TE", post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"identity and CL", post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "World")},
      {"empty TE and CL", post("Transfer-Encoding:\r\nContent-Length: 5\r\n", "hello")},
      {"tab before chunked, CL", post("Content-Length: 12\r\nTransfer-Encoding: \tchunked\r\n")},
      {"unknown TE and CL",
       post("Transfer-Encoding: ,chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
      {"CL and three empty TE",
       post("Content-Length: 10\r\nTransfer-Encoding:\r\nTransfer-Encoding:\r\n",
            "2\r\nAA\r\n0\r\n")},
      {"TE with HTTP/1.0 (Beast 3098)",
       "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
      {"TE with HTTP/1.0, keep-alive",
       "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
  };
  for (const auto& row : rows) check(row);
}

TEST(Smuggling, TransferEncodingValues) {
  const auto with = [](const std::string& value) {
    return post("Transfer-Encoding:" + value + "\r\n", "1\r\nZ\r\n0\r\n\r\n");
  };
  for (const auto& value : {" xchunked"s,
                            " chunkedx"s,
                            " chunkedchunked"s,
                            " pigeons"s,
                            " identity"s,
                            " gzip"s,
                            " gzip, chunked"s,
                            " chunked, gzip"s,
                            " chunked, chunked"s,
                            " chunked,"s,
                            " ,chunked"s,
                            " chunked;"s,
                            " chunked; q=1"s,
                            " \"chunked\""s,
                            " 'chunked'"s,
                            " chunked chunked"s,
                            " cow"s,
                            " ch\tunked"s,
                            " chu-nked"s,
                            ""s,
                            " "s,
                            " \xa0"
                            "chunked"s,
                            " \x85"
                            "chunked\xa0"s,
                            " \xff"
                            "chunked\xff"s,
                            " chunked\v"s,
                            " chunked\f"s,
                            "\vchunked"s,
                            " chunked\0"s,
                            " identity, chunked, identity, chunked"s,
                            " CHUNKED, identity"s,
                            " nothing,chunked"s}) {
    check({"TE:" + value, with(value)});
  }
  for (const auto& value :
       {" chunked"s, "chunked"s, " CHUNKED"s, " ChUnKeD"s, "\tchunked"s, " chunked \t"s}) {
    check({"TE:" + value, with(value), 0, "Z"});
  }
}

TEST(Smuggling, TransferEncodingTwice) {
  const std::string te = "Transfer-Encoding: chunked\r\n";
  for (const auto& second : {"Transfer-Encoding: chunked\r\n"s, "Transfer-encoding: cow\r\n"s,
                             "Transfer-Encoding: identity\r\n"s, "Transfer-Encoding: gzip\r\n"s,
                             "transfer-encoding:\r\n"s, "Transfer-Encoding : x\r\n"s,
                             "Transfer_Encoding: gzip\r\n"s, "TRANSFER_ENCODING: chunked\r\n"s}) {
    check({"TE then " + second, post(te + second, "0\r\n\r\n")});
    check({second + " then TE", post(second + te, "0\r\n\r\n")});
  }
}

TEST(Smuggling, ContentLengthValues) {
  for (const auto& value :
       {" +5"s,   " -5"s,    " -0"s,      " -48"s,   " 5, 5"s, " 5,"s,       ",5"s,
        " 5;"s,   " 5 5"s,   " 4 2"s,     " 0x5"s,   " 0x10"s, " 5e0"s,      " 1_0"s,
        " +1_0"s, " 0_1"s,   " 5.0"s,     " \"5\""s, " 1Z"s,   " bla"s,      ""s,
        " "s,     " 010"s,   " 05"s,      " 00"s,    " 003"s,  " \xd9\xa5"s, " 5\v"s,
        " 5\0"s,  " 5\xa0"s, " 3, 3, 3"s, " 1E23"s,  " NaN"s}) {
    check({"CL:" + value, post("Content-Length:" + value + "\r\n", "hello")});
  }
  for (const auto& value : {" 1000000000000000000000"s, " 18446744073709551621"s,
                            " 18446744073709551615"s, " 9223372036854775808"s}) {
    check({"CL:" + value, post("Content-Length:" + value + "\r\n", "hello"), 413});
  }
  check({"CL: 5", post("Content-Length: 5\r\n", "hello" + next_request()), 0, "hello",
         next_request()});
  check({"CL in tabs", post("Content-Length:\t5\t \r\n", "hello"), 0, "hello"});
  check({"CL without space", post("content-length:5\r\n", "hello"), 0, "hello"});
  check({"CL: 0", post("Content-Length: 0\r\n", next_request()), 0, "", next_request()});
  check({"CL: 9223372036854775807", post("Content-Length: 9223372036854775807\r\n", "hello"), -1});
  check({"body not there yet", post("Content-Length: 5\r\n", "hell"), -1});
}

TEST(Smuggling, ContentLengthTwice) {
  const std::vector<Row> rows{
      {"other values", post("Content-Length: 3\r\nContent-Length: 2\r\n", "xyz")},
      {"1 and 0", post("Content-Length: 1\r\nContent-Length: 0\r\n", "Z")},
      {"0 and 1", post("Content-Length: 0\r\nContent-Length: 1\r\n", "Z")},
      {"same value", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")},
      {"empty first (CVE-2023-40225)", post("Content-Length:\r\nContent-Length: 43\r\n")},
      {"empty second", post("Content-Length: 5\r\nContent-Length:\r\n", "hello")},
      {"far apart", post("Content-Length: 5\r\nX: y\r\ncontent-length: 5\r\n", "hello")},
      {"with underscore", post("Content-Length: 7\r\nContent_Length: -1E23\r\n", "tricked")},
      {"underscore alone", post("CONTENT_LENGTH: 5\r\n", "hello")},
  };
  for (const auto& row : rows) check(row);
}

TEST(Smuggling, BodyWhereNoneIsExpected) {
  // 0.CL and CL.0: what stands behind a GET's length is its body, and without one the next request.
  check({"GET with a length", get("Content-Length: 5\r\n") + "hello" + next_request(), 0, "hello",
         next_request()});
  check({"GET without a length", get("") + "hello", 0, "", "hello"});
  check({"POST without a length", post("", next_request()), 0, "", next_request()});
  check({"early response gadget", get("Content-Length: 7\r\n") + "GET /404 HTTP/1.1\r\nX: y", 0,
         "GET /40", "4 HTTP/1.1\r\nX: y"});
  check(
      {"Expect obfuscated", post("Content-Length: 5\r\nExpect: y 100-continue\r\n", "hello"), 417});
  check({"Expect twice", post("Expect: 100-continue\r\nExpect: 100-continue\r\n")});
  check({"Expect: 100-continue", post("Content-Length: 5\r\nExpect: 100-Continue\r\n", "hello"), 0,
         "hello"});
  check({"length named hop-by-hop",
         post("Connection: Content-Length\r\nContent-Length: 5\r\n", "hello"), 0, "hello"});
}

TEST(Smuggling, FieldNames) {
  for (const auto& name : {"Content-Length "s,
                           "Content-Length\t"s,
                           " Content-Length"s,
                           "\tContent-Length"s,
                           "Content Length"s,
                           "Content-Length\x85"s,
                           "Content-Length\xa0"s,
                           "Content-Length\0"s,
                           "\0Content-Length"s,
                           "Content\rLength"s,
                           "\xef"
                           "foo"s,
                           "Content-Length\xc3\x9f"s,
                           ""s,
                           "Fo@"s,
                           "a(b"s,
                           "a/b"s,
                           "a;b"s,
                           "a<b"s,
                           "a=b"s,
                           "a[b"s,
                           "a{b"s,
                           "a\"b"s,
                           "a\\b"s,
                           "ba\0z"s,
                           "\x7f"s,
                           "\x01"s,
                           "Transfer-Encoding "s,
                           "Transfer-Encoding\v"s,
                           "\xc2\xa0Host"s}) {
    check({"name " + name, post(name + ": 5\r\n", "hello")});
  }
  const std::vector<Row> rows{
      {"no colon", get("Content-Length 10\r\n")},
      {"a line that is one word", get("Test\r\n")},
      {"name over two lines",
       post("Transfer-\r\nEncoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
      {"colon on the next line", post("Transfer-Encoding\r\n: chunked\r\n", "0\r\n\r\n")},
      {"empty name and value", get(":\r\nI: am here\r\n")},
      {"leading space on the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n"},
      {"leading tab on the first field",
       "GET / HTTP/1.1\r\n\tContent-Length: 1\r\nHost: h\r\n\r\n"},
      {"name ended by CR", get("X-Some-Header\r\033\065\325eep-Alive\r\n")},
      {"a colon more is value", post("A:: b\r\n"), 0},
      {"all of tchar", post("!#$%&'*+-.^_`|~09azAZ: x\r\n"), 0},
  };
  for (const auto& row : rows) check(row);
}

TEST(Smuggling, FieldValues) {
  const std::vector<Row> rows{
      {"folded with space", get("Long: one\r\n two\r\n")},
      {"folded with tab", get("Long: one\r\n\ttwo\r\n")},
      {"folded from an empty value", get("Accept:\r\n */*\r\n")},
      {"folded framing", post("Foo: bar\r\n Content-Length: 38\r\n", next_request())},
      {"folded coding", post("Transfer-Encoding: chunked\r\n abc\r\n", "0\r\n\r\n")},
      {"white line", get("A: b\r\n \r\n")},
      {"CR in a value", get("Visible: :/\rSmuggled: :)\r\n")},
      {"CR and NUL", get("Header: v\0\ralue\r\n"s)},
      {"LF in a value", get("X: a\nTransfer-Encoding: chunked\r\n")},
      {"LF for an empty value", get("x:\nTransfer-Encoding: chunked\r\n")},
      {"LF LF after a name", get("Useless:\n\nGET / HTTP/1.1\r\n")},
      {"NUL in a value", get("Test: test\0DROPPED\r\n"s)},
      {"NUL at the end", get("Evil: evil\0\r\n"s)},
      {"bell", get("X: plain\x07injected\r\n")},
      {"delete", get("X: plain\x7finjected\r\n")},
      {"vertical tab", get("X: \v\r\n")},
      {"escape", get("X: \x1b[2J\r\n")},
      {"Content-Type twice", get("Content-Type: application/json\r\nContent-Type: text/html\r\n")},
      {"Authorization twice", get("Authorization: a\r\nAuthorization: b\r\n")},
      {"Idempotency-Key twice", get("Idempotency-Key: a\r\nidempotency-key: b\r\n")},
      {"a list twice", get("Accept: a\r\nAccept: b\r\n"), 0},
      {"bytes above ASCII",
       get("User: \x85"
           "admin\xa0\r\n"),
       0},
      {"UTF-8", get("X: \xe5\xbc\xa0\xe4\xbc\x9f\r\n"), 0},
      {"tab inside", get("X: a\tb\r\n"), 0},
  };
  for (const auto& row : rows) check(row);
}

TEST(Smuggling, LineEnds) {
  const std::vector<Row> rows{
      {"only LF", "GET / HTTP/1.1\nHost: h\n\n"},
      {"LF after the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n"},
      {"LF at the end", "GET / HTTP/1.1\r\nHost: h\r\n\n"},
      {"CR LF LF", "GET / HTTP/1.1\r\nHost: h\n\r\n"},
      {"CR CR LF", "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n"},
      {"only CR", "GET / HTTP/1.1\rHost: h\r\r"},
      {"CR Z at the end (llhttp)",
       "GET / HTTP/1.1\r\nHost: h\r\n\rZGET /evil: HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"CR before the body", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\rabc"},
      {"LF as white space", "GET /\nHTTP/1.1\r\nHost: h\r\n\r\n"},
      {"LF CR", "GET / HTTP/1.1\n\rHost: h\n\r\n\r"},
      {"LF before the request", "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"one CRLF before the request", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"two CRLF before the request", "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"end missing", "GET / HTTP/1.1\r\nHost: h\r\n", -1},
      {"nothing", "", -1},
  };
  for (const auto& row : rows) check(row);
}

TEST(Smuggling, RequestLines) {
  for (const auto& bad : {"GET  / HTTP/1.1"s,
                          "GET /  HTTP/1.1"s,
                          "GET\t/\tHTTP/1.1"s,
                          " GET / HTTP/1.1"s,
                          "GET / HTTP/1.1 "s,
                          "GET /a b HTTP/1.1"s,
                          "GET /"s,
                          "GET"s,
                          "GET HTTP/1.1"s,
                          "/ HTTP/1.1"s,
                          "GET / http/1.1"s,
                          "GET / HTTP/1.10"s,
                          "GET / HTTP/1.32"s,
                          "GET / HTTP/01.1"s,
                          "GET / HTTP/1"s,
                          "GET / HTTP/111"s,
                          "GET / HTTP/1.1HTTP/1.1"s,
                          "GET / HTTP/4294967295.255"s,
                          "GET / HTTP/+1.1"s,
                          "GET / HTTP/1,1"s,
                          "GET /foo FTP/1.1"s,
                          "GET /music ICE/1.0"s,
                          "GET /music IHTTP/1.0"s,
                          "GET / HTTP/1.\xb9"s,
                          "G\0T / HTTP/1.1"s,
                          "GET\0 / HTTP/1.1"s,
                          "GET\xc3\x9f / HTTP/1.1"s,
                          "GET: / HTTP/1.1"s,
                          "bla:rgh / HTTP/1.1"s,
                          "G=\":<>(e),[T];?\" / HTTP/1.1"s,
                          "(GET) / HTTP/1.1"s,
                          "GET ! HTTP/1.1"s,
                          "GET foo/bar HTTP/1.1"s,
                          "GET * HTTP/1.1"s,
                          "GET example.com:443 HTTP/1.1"s,
                          "GET example.com HTTP/1.1"s,
                          "GET //\x7f HTTP/1.1"s,
                          "GET /\xce\xb4 HTTP/1.1"s,
                          "GET /a#b HTTP/1.1"s,
                          "GET /a?b#c HTTP/1.1"s,
                          "GET /\"a\" HTTP/1.1"s,
                          "GET /a?\"b\" HTTP/1.1"s,
                          "GET /<a> HTTP/1.1"s,
                          "GET /a\\b HTTP/1.1"s,
                          "GET /a?<b> HTTP/1.1"s,
                          "GET ?a HTTP/1.1"s,
                          "PUT s://]ufd/: HTTP/1.1"s,
                          "GET ftp://h/ HTTP/1.1"s,
                          "GET http:/h/ HTTP/1.1"s,
                          "GET http:///a HTTP/1.1"s,
                          "GET http://u:p@h/ HTTP/1.1"s,
                          "GET http://h:p/ HTTP/1.1"s,
                          "GET http://h:123456/ HTTP/1.1"s,
                          "GET http://[::1/ HTTP/1.1"s,
                          "GET http://[::g]/ HTTP/1.1"s,
                          "GET javascript:alert(1) HTTP/1.1"s,
                          "OPTIONS ** HTTP/1.1"s,
                          "PROXY TCP4 192.168.0.1 192.168.0.2 1 2"s}) {
    check({bad, line(bad)});
  }
  for (const auto& version : {"HTTP/0.9"s, "HTTP/2.0"s, "HTTP/1.2"s, "HTTP/5.6"s, "HTTP/3.0"s}) {
    check({version, line("GET / " + version), 505});
  }
  check({"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505});
  for (const auto& good :
       {"GET / HTTP/1.1"s, "GET /a?b=c|d HTTP/1.1"s, "GET /a?b?c HTTP/1.1"s, "GET /a%20b HTTP/1.1"s,
        "OPTIONS * HTTP/1.1"s, "GET http://h/a HTTP/1.1"s, "GET HTTPS://h:8443?x=1 HTTP/1.1"s,
        "GET http://[::1]:80/ HTTP/1.1"s, "GET //a HTTP/1.1"s, "M-SEARCH /a HTTP/1.1"s,
        "get / HTTP/1.1"s, "GET /01/09506000134352/21/1%2F2 HTTP/1.1"s}) {
    check({good, line(good), 0});
  }
  check({"CONNECT", line("CONNECT h:443 HTTP/1.1"), 501});
  check({"a method too long", line(std::string(kMethodBytesMax + 1, 'A') + " / HTTP/1.1"), 501});
  check({"a long method", line(std::string(kMethodBytesMax, 'A') + " / HTTP/1.1"), 0});
}

TEST(Smuggling, Hosts) {
  const auto with = [](const std::string& fields) {
    return "GET / HTTP/1.1\r\n" + fields + "\r\n";
  };
  for (const auto& bad : {""s,
                          "Host:\r\n"s,
                          "Host: \r\n"s,
                          "Host: a\r\nHost: b\r\n"s,
                          "Host: a\r\nHost: a\r\n"s,
                          "Host: a\r\nhost: b\r\n"s,
                          "Host: a b\r\n"s,
                          "Host: a,b\r\n"s,
                          "Host: a/b\r\n"s,
                          "Host: a@b\r\n"s,
                          "Host: a?b\r\n"s,
                          "Host: a#b\r\n"s,
                          "Host: http://a\r\n"s,
                          "Host: a:\xef\xbc\x91\r\n"s,
                          "Host: a:b\r\n"s,
                          "Host: a:-1\r\n"s,
                          "Host: a:123456\r\n"s,
                          "Host: :80\r\n"s,
                          "Host: []\r\n"s,
                          "Host: [::1\r\n"s,
                          "Host: [::1]x\r\n"s,
                          "Host: [::1]:\tx\r\n"s,
                          "Host: \xff"
                          "a\xff\r\n"s,
                          "Host: google.com\0.x.org\r\n"s,
                          "Host: 0.0.0.0=5000\r\n"s,
                          "Host: a%00b\r\n"s,
                          "Host: [v1.x]\r\n"s}) {
    check({bad, with(bad)});
  }
  for (const auto& good :
       {"Host: a\r\n"s, "Host: a.example:443\r\n"s, "Host: 127.0.0.1\r\n"s, "Host: [::1]:8443\r\n"s,
        "host:a\r\n"s, "Host: a:\r\n"s, "Host: my_host\r\n"s}) {
    check({good, with(good), 0});
  }
  check({"HTTP/1.0 without", "GET / HTTP/1.0\r\n\r\n", 0});
  check({"HTTP/1.0 with two", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"});
  check({"absolute target without", "GET http://h/ HTTP/1.1\r\n\r\n"});
}

}  // namespace
}  // namespace theriac::http
