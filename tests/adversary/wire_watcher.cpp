// Stands between gateway and PostgreSQL, hands every byte on, and searches both directions for
// canaries (canaries.hpp).
//
//   wire_watcher --seed S --upstream PORT --port-file FILE [--words FILE]
//       listens on a free port of 127.0.0.1, which it writes to FILE; ends at SIGTERM
//   wire_watcher --seed S --print
//       prints what it looks for that is text
//   wire_watcher --seed S [--words FILE] --scan [--from BYTE] FILE...
//       searches files instead
// --words: further values to look for, one a line. Prints hits and a last line of JSON. Exit code 0
// if nothing was found and something was looked at, 1 if there were hits, 2 on wrong use.
#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "canaries.hpp"

namespace {

using theriac::adversary::Canaries;
using theriac::adversary::Search;

struct Tally {
  std::atomic<std::uint64_t> sessions{0}, to_server{0}, to_client{0}, hits{0};
  std::mutex printing;
};

void report(Tally& tally, const std::vector<Search::Hit>& hits, std::string_view where) {
  constexpr std::uint64_t kPrinted = 30;
  for (const auto& hit : hits) {
    if (++tally.hits > kPrinted) continue;
    std::string shown;
    for (const char c : hit.around) {
      const auto b = static_cast<unsigned char>(c);
      shown += b < 32 || b > 126 ? fmt::format("\\x{:02x}", b) : std::string(1, c);
    }
    const std::lock_guard lock(tally.printing);
    fmt::print("hit {}: value {} as {}: {}\n", where, hit.value, hit.form, shown);
    std::fflush(stdout);
  }
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int connect_to(std::uint16_t port) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  if (connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {  // NOLINT
    close(made);
    return -1;
  }
  return made;
}

bool write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto done = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (done <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

/// Both descriptors are closed once both directions have ended.
struct Pair {
  int client = -1, server = -1;
  ~Pair() {
    close(client);
    close(server);
  }
};

void hand_on(const std::shared_ptr<Pair>& pair, bool up, const Search& search, Tally& tally) {
  const int from = up ? pair->client : pair->server, to = up ? pair->server : pair->client;
  Search::Stream stream;
  std::array<char, 65536> buffer;
  for (;;) {
    const auto got = recv(from, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    (up ? tally.to_server : tally.to_client) += bytes.size();
    report(tally, search.look(stream, bytes), up ? "to the server" : "to the gateway");
    if (!write_all(to, bytes)) break;
  }
  shutdown(to, SHUT_WR);
  shutdown(from, SHUT_RD);
}

void serve(int listening, std::uint16_t upstream, const Search& search, Tally& tally,
           std::vector<std::thread>& threads) {
  for (;;) {
    const int client = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = connect_to(upstream);
    if (server < 0) {
      close(client);
      continue;
    }
    for (const int one : {client, server}) {
      const int on = 1;
      setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    ++tally.sessions;
    const std::shared_ptr<Pair> pair(new Pair{client, server});
    for (const bool up : {true, false}) {
      threads.emplace_back([pair, up, &search, &tally] { hand_on(pair, up, search, tally); });
    }
  }
}

int finish(const Tally& tally) {
  fmt::print("{{\"sessions\": {}, \"to_server\": {}, \"to_client\": {}, \"hits\": {}}}\n",
             tally.sessions.load(), tally.to_server.load(), tally.to_client.load(),
             tally.hits.load());
  std::fflush(stdout);
  return tally.hits == 0 && tally.to_server > 0 ? 0 : 1;
}

int scan(const std::vector<std::string>& files, std::size_t from, const Search& search,
         Tally& tally) {
  for (const auto& name : files) {
    std::ifstream file(name, std::ios::binary);
    if (!file) return 2;
    file.seekg(static_cast<std::streamoff>(from));
    Search::Stream stream;
    std::vector<char> buffer(1 << 20);
    while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
           file.gcount() > 0) {
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(file.gcount()));
      tally.to_server += bytes.size();
      report(tally, search.look(stream, bytes), name);
    }
  }
  return finish(tally);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 1;
  std::size_t from = 0;
  std::uint16_t upstream = 0;
  std::string port_file, words;
  std::vector<std::string> files;
  bool scanning = false;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto next = [&] { return std::string(i + 1 < argc ? argv[++i] : "0"); };
    if (flag == "--seed") {
      seed = std::stoull(next());
    } else if (flag == "--upstream") {
      upstream = static_cast<std::uint16_t>(std::stoul(next()));
    } else if (flag == "--port-file") {
      port_file = next();
    } else if (flag == "--words") {
      words = next();
    } else if (flag == "--from") {
      from = std::stoull(next());
    } else if (flag == "--print") {
      for (const auto& value : Canaries(seed).leaked_forms()) {
        if (std::ranges::all_of(value, [](char c) { return c >= ' '; })) fmt::print("{}\n", value);
      }
      return 0;
    } else if (flag == "--scan") {
      scanning = true;
    } else {
      files.push_back(flag);
    }
  }
  auto wanted = Canaries(seed).leaked_forms();
  if (!words.empty()) {
    std::ifstream file(words);
    for (std::string line; std::getline(file, line);) wanted.push_back(line);
  }
  const Search search(wanted);
  static auto& tally = *new Tally;  // NOLINT: sessions may outlive main()
  if (scanning) return scan(files, from, search, tally);
  if (upstream == 0 || port_file.empty()) return 2;

  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);  // NOLINT
  if (bind(listening, any, size) != 0 || listen(listening, 128) != 0 ||
      getsockname(listening, any, &size) != 0) {
    return 2;
  }
  std::ofstream(port_file + ".new") << ntohs(address.sin_port) << '\n';
  if (std::rename((port_file + ".new").c_str(), port_file.c_str()) != 0) return 2;
  // Sessions end when they like; the process ends when it is told to, without waiting for them.
  auto& threads = *new std::vector<std::thread>;  // NOLINT
  const std::thread serving([&] { serve(listening, upstream, search, tally, threads); });
  int got = 0;
  sigwait(&ending, &got);
  const int code = finish(tally);
  std::_Exit(code);  // sessions may still be open, and their threads with them
}
