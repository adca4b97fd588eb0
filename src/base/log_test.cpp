#include "base/log.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <csignal>
#include <regex>
#include <thread>
#include <vector>

#include "base/bytes.hpp"

namespace theriac {
namespace {

/// A pipe: what was written to the log can be read back.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(ends_[0]);
    close_writer();
  }
  [[nodiscard]] int writer() const { return ends_[1]; }
  void close_writer() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  std::string read_all() {
    close_writer();
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = ::read(ends_[0], buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

std::string logged(std::string_view value) {
  Pipe pipe;
  FdLog log("test", pipe.writer());
  log.write(Level::kInfo, "event", {{"v", value}});
  const auto text = pipe.read_all();
  const auto at = text.find(" v=");
  return at == std::string::npos ? text : text.substr(at + 3);
}

TEST(Log, Form) {
  Pipe pipe;
  FdLog log("theriac-keyd", pipe.writer());
  log.write(Level::kWarning, "lease.lost", {{"class", "contact"}, {"count", 7}, {"text", "a b"}});
  const std::regex form(
      R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning theriac-keyd lease\.lost class=contact count=7 text="a b"\n)");
  const auto text = pipe.read_all();
  EXPECT_TRUE(std::regex_match(text, form)) << text;
}

TEST(Log, OneEventIsOneLineWhateverItHolds) {
  EXPECT_EQ(logged("plain"), "plain\n");
  EXPECT_EQ(logged(""), "\"\"\n");
  EXPECT_EQ(logged("a\nb"), "a\\x0ab\n");
  EXPECT_EQ(logged("a=b"), "\"a=b\"\n");
  EXPECT_EQ(logged("say \"so\""), "\"say \\\"so\\\"\"\n");
  EXPECT_EQ(logged("back\\slash"), "\"back\\\\slash\"\n");
  EXPECT_EQ(logged("张伟"), "张伟\n");
  for (int c = 0; c < 256; ++c) {
    const char byte = static_cast<char>(c);
    const auto line = logged(std::string_view(&byte, 1));
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      const auto printed = static_cast<unsigned char>(line[i]);
      EXPECT_TRUE(printed >= 0x20 && printed != 0x7f) << c;
    }
    EXPECT_EQ(line.back(), '\n');
  }
}

TEST(Log, LeastLevel) {
  Pipe pipe;
  FdLog log("test", pipe.writer(), Level::kWarning);
  log.write(Level::kInfo, "not.seen", {});
  log.write(Level::kError, "seen", {});
  const auto text = pipe.read_all();
  EXPECT_EQ(text.find("not.seen"), std::string::npos);
  EXPECT_NE(text.find("error test seen"), std::string::npos);
}

TEST(Log, ErrorHasCodeAndPlace) {
  Pipe pipe;
  FdLog log("test", pipe.writer());
  log.Log::error("open.failed", Error{Code::kNotAuthentic, "public.customers.name"});
  EXPECT_NE(pipe.read_all().find("open.failed code=NotAuthentic where=public.customers.name"),
            std::string::npos);
}

TEST(Log, LinesOfThreadsDoNotMix) {
  Pipe pipe;
  FdLog log("test", pipe.writer());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 50; ++i) log.write(Level::kInfo, "beat", {{"thread", t}, {"i", i}});
      });
    }
  }
  const auto text = pipe.read_all();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 200);
  std::size_t beats = 0;
  for (auto at = text.find("beat"); at != std::string::npos; at = text.find("beat", at + 1))
    ++beats;
  EXPECT_EQ(beats, 200U);
}

TEST(Log, AFullOrClosedSinkStopsNothing) {
  std::signal(SIGPIPE, SIG_IGN);
  FdLog nowhere("test", -1);
  nowhere.write(Level::kError, "lost", {});
  const int full = ::open("/dev/full", O_WRONLY);
  FdLog log("test", full);
  log.write(Level::kError, "lost", {});
  ::close(full);
}

}  // namespace
}  // namespace theriac
