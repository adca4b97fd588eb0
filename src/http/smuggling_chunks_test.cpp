// Chunked bodies that two programs might frame differently; see smuggling_test.cpp.
#include <gtest/gtest.h>

#include "http/reading.hpp"

namespace theriac::http {
namespace {

using namespace std::string_literals;

TEST(SmugglingInChunks, Sizes) {
  for (const auto& size : {"0x5"s,
                           "0X5"s,
                           "+5"s,
                           "-5"s,
                           "-0"s,
                           " 5"s,
                           "\t5"s,
                           "5 "s,
                           "5\t"s,
                           "5 ;a"s,
                           "0_5"s,
                           "0_2e"s,
                           "5_0"s,
                           "5,5"s,
                           "5.0"s,
                           "5 5"s,
                           ""s,
                           ";"s,
                           ";a=b"s,
                           " ;foo=bar"s,
                           "Z"s,
                           "5h"s,
                           "h5"s,
                           "G"s,
                           "\"5\""s,
                           "000000005"s,
                           "100000000"s,
                           "FFFFFFFFFFFFFFFF"s,
                           "10000000000000005"s,
                           "\xef\xbc\x95"s,
                           "5\0"s,
                           "5\v"s,
                           "1these-bytes-never-get-validated"s,
                           "2 erfrferferf"s,
                           "\r5"s,
                           "\n5"s}) {
    check({"size " + size, chunks(size + "\r\nhello\r\n0\r\n\r\n")});
    check({"last size " + size, chunks("5\r\nhello\r\n" + size + "\r\n\r\n")});
  }
  check({"lower case", chunks("a\r\n0123456789\r\n0\r\n\r\n"), 0, "0123456789"});
  check({"upper case", chunks("A\r\n0123456789\r\n0\r\n\r\n"), 0, "0123456789"});
  check({"leading zeros", chunks("00000005\r\nhello\r\n0\r\n\r\n" + next_request()), 0, "hello",
         next_request()});
  check({"several zeros at the end", chunks("5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n"), 0,
         "hello world"});
  check({"a long chunk that is not there", chunks("FFFFFFFF\r\nhello"), -1});
  check({"no last chunk", chunks("3\r\nfoo\r\n"), -1});
  check({"last chunk without the empty line", chunks("0\r\n"), -1});
}

TEST(SmugglingInChunks, LineEnds) {
  const std::vector<Row> rows{
      {"bare LF after the size (CVE-2025-22871)", chunks("5\nhello\r\n0\r\n\r\n")},
      {"bare CR after the size", chunks("5\rhello\r\n0\r\n\r\n")},
      {"CR CR after the size (llhttp)", chunks("5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n")},
      {"CR X", chunks("5\rXhello\r\n0\r\n\r\n")},
      {"LF in the extension: TERM.EXT (CVE-2025-55315)", chunks("5;\nxx\r\nhello\r\n0\r\n\r\n")},
      {"CR in the extension: EXT.TERM", chunks("5;ext=val\rue\r\nhello\r\n0\r\n\r\n")},
      {"CR CR in the extension", chunks("5;a=b\r\rXXXX\r\nhello\r\n0\r\n\r\n")},
      {"LF before the semicolon", chunks("5\n;\r\nhello\r\n0\r\n\r\n")},
      {"CR before the semicolon (Akamai, ATS)", chunks("2\r\r;a\r\n02\r\n41\r\n0\r\n\r\n")},
      {"NUL in the extension", chunks("5;a=\0\r\nhello\r\n0\r\n\r\n"s)},
      {"LF inside a quoted extension", chunks("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n")},
      {"data too long: SPILL", chunks("5\r\nhello!\r\n0\r\n\r\n")},
      {"data too long, two bytes for CRLF", chunks("5\r\nhelloXX0\r\n\r\n")},
      {"data ended by LF", chunks("5\r\nhello\n0\r\n\r\n")},
      {"data ended by LF LF", chunks("3\r\nABC\n\n0\r\n\r\n")},
      {"data ended by CR", chunks("5\r\nhello\r0\r\n\r\n")},
      {"data ended by CR CR", chunks("5\r\nhello\r\r0\r\n\r\n")},
      {"data not ended", chunks("5\r\nABCDE0\r\n\r\n")},
      {"data too short", chunks("6\r\nhello\r\n0\r\n\r\n")},
      {"an empty line before the size", chunks("\r\n5\r\nhello\r\n0\r\n\r\n")},
      {"an empty line between chunks", chunks("5\r\nhello\r\n\r\n0\r\n\r\n")},
      {"end by LF", chunks("0\n\n")},
      {"end by CRLF LF", chunks("0\r\n\n")},
      {"end by two other bytes (CVE-2023-40175)", chunks("0\r\nX:POST / HTTP/1.1\r\n\r\n"), 0},
      {"end by CR X", chunks("0\r\n\rX")},
      {"one CR 0 LF (Pound)", chunks("1\r0\n")},
      {"invalid chunk, then a request", chunks("INVALID!!!\r\n" + next_request())},
      {"ZZ (Akamai)", chunks("Z\r\nZZ\r\nZZZ\r\n\r\n")},
      {"an extra CRLF before the end",
       chunks("17\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n\r\n0\r\n\r\n")},
  };
  for (const auto& row : rows) check(row);
}

TEST(SmugglingInChunks, ExtensionsAndTrailers) {
  const std::vector<Row> rows{
      {"extensions",
       chunks("5;ilovew3;some=params;a=b\r\nhello\r\n6;blah;blah\r\n world\r\n0\r\n\r\n"), 0,
       "hello world"},
      {"quoted extension", chunks("5;a=\"I \\\"love\\\"; \\\\ext\\\\\"\r\nhello\r\n0;x\r\n\r\n"), 0,
       "hello"},
      {"unbalanced quotes stay in their line", chunks("5;a=\"b; c\r\nhello\r\n0\r\n\r\n"), 0,
       "hello"},
      {"empty extension", chunks("2;\r\naa\r\n0\r\n\r\n"), 0, "aa"},
      {"trailers", chunks("5\r\nhello\r\n0\r\nVary: *\r\nX-Checksum: 1\r\n\r\n" + next_request()),
       0, "hello", next_request()},
      {"trailer without value", chunks("0\r\nA:\r\n\r\n"), 0},
      {"trailer Content-Length", chunks("0\r\nContent-Length: 99\r\n\r\n")},
      {"trailer Host", chunks("0\r\nHost: evil\r\n\r\n")},
      {"trailer Transfer-Encoding", chunks("0\r\ntransfer-encoding: chunked\r\n\r\n")},
      {"trailer Authorization", chunks("0\r\nAuthorization: x\r\n\r\n")},
      {"trailer without a colon", chunks("0\r\nGET / HTTP/1.1\r\n\r\n")},
      {"trailer without a name", chunks("0\r\n: x\r\n\r\n")},
      {"trailer with a space before the colon", chunks("0\r\nA : x\r\n\r\n")},
      {"folded trailer", chunks("0\r\nA: x\r\n y\r\n\r\n")},
      {"trailer ended by LF", chunks("0\r\nA: x\n\r\n")},
      {"trailer with CR", chunks("0\r\nA: x\ry\r\n\r\n")},
      {"trailer with NUL", chunks("0\r\nA: x\0\r\n\r\n"s)},
  };
  for (const auto& row : rows) check(row);
}

}  // namespace
}  // namespace theriac::http
