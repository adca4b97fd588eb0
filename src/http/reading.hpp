// Reads one request as the connection does, cut into pieces as a test says: for tests only.
//
// Threading: free functions.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "http/wire.hpp"

namespace theriac::http {

struct Verdict {
  int status = 0;        ///< 0: taken; -1: more is wanted; else the refusal's
  std::string body;      ///< of a request that was taken
  std::size_t used = 0;  ///< bytes of it; what follows is the next request's
  bool operator==(const Verdict&) const = default;
};

/// `cuts`: where the bytes were cut into reads, ascending; the end is one always.
inline Verdict read_request(std::string_view bytes, std::vector<std::size_t> cuts) {
  cuts.push_back(bytes.size());
  HeadScanner scanner;
  RequestHead head;
  ChunkedDecoder chunked;
  Verdict verdict{-1, {}, 0};
  bool in_body = false;
  for (const auto end : cuts) {
    const auto seen = bytes.substr(0, end);
    if (!in_body) {
      const auto size = scanner.scan(seen);
      if (!size) return {size.error().status, {}, 0};
      if (*size == 0) continue;
      const auto parsed = parse_request_head(seen.substr(0, *size), head);
      if (!parsed) return {parsed.error().status, {}, 0};
      verdict.used = *size;
      in_body = true;
    }
    if (head.framing == Framing::kLength) {
      const auto left = head.content_length - verdict.body.size();
      const auto more = seen.substr(verdict.used, left);
      verdict.body += more;
      verdict.used += more.size();
      if (verdict.body.size() == head.content_length) verdict.status = 0;
    }
    while (head.framing == Framing::kChunked && !chunked.done() && verdict.used < seen.size()) {
      const auto step = chunked.feed(view_of(seen.substr(verdict.used)));
      if (!step) return {step.error().status, {}, 0};
      verdict.used += step->consumed;
      verdict.body += text_of(step->data);
    }
    if (head.framing == Framing::kNone || chunked.done()) verdict.status = 0;
    if (verdict.status == 0) return verdict;
  }
  return verdict.status == 0 ? verdict : Verdict{-1, {}, 0};
}

/// A message that deceived others, and what becomes of it here.
struct Row {
  std::string what;
  std::string bytes;
  int status = 400;    // 0: taken, -1: more is wanted
  std::string body{};  // if taken
  std::string left{};  // if taken: what belongs to the next request
};

inline std::string post(const std::string& fields, const std::string& rest = {}) {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + rest;
}
inline std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
inline std::string line(const std::string& request_line) {
  return request_line + "\r\nHost: h\r\n\r\n";
}
inline std::string chunks(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

inline std::string next_request() { return "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"; }

inline void check(const Row& row) {
  SCOPED_TRACE(row.what);
  const auto whole = read_request(row.bytes, {});
  EXPECT_EQ(whole.status, row.status);
  if (row.status == 0) {
    EXPECT_EQ(whole.body, row.body);
    EXPECT_EQ(row.bytes.substr(whole.used), row.left);
  }
  std::vector<std::size_t> every;
  for (std::size_t cut = 1; cut < row.bytes.size(); ++cut) {
    EXPECT_EQ(read_request(row.bytes, {cut}), whole) << "cut at " << cut;
    every.push_back(cut);
  }
  EXPECT_EQ(read_request(row.bytes, every), whole) << "byte by byte";
}

}  // namespace theriac::http
