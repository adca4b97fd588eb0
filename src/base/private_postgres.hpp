// A PostgreSQL that each run makes for itself: on a socket in a temporary folder, stopped at exit.
// For tests and benchmarks, never part of a library.
//
// Threading: any.
#pragma once

#include <fmt/format.h>
#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace theriac {

/// A cluster on a socket in a folder of its own. Made once, stopped at exit.
class PrivatePostgres {
 public:
  static PrivatePostgres& get() {
    static PrivatePostgres server;
    return server;
  }
  [[nodiscard]] bool runs() const { return runs_; }
  [[nodiscard]] std::string conninfo(std::string_view user = "theriac",
                                     std::string_view database = "postgres") const {
    return fmt::format("host={} user={} dbname={}", folder_, user, database);
  }

 private:
  static constexpr const char* kBinaries = "/usr/lib/postgresql/15/bin/";

  PrivatePostgres() {
    if (!std::filesystem::exists(std::string(kBinaries) + "initdb")) {
      std::cout << "SKIPPED: PostgreSQL 15 is not installed\n";
      return;
    }
    std::string name = "/tmp/theriac-pg-XXXXXX";
    THERIAC_ASSERT(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    // initdb refuses to run as root.
    if (::getuid() == 0) run(fmt::format("chown postgres {}", folder_));
    runs_ =
        as_user(fmt::format("{}initdb -D {}/data -U theriac -A trust --no-sync -E UTF8 "
                            "--locale=C.UTF-8",
                            kBinaries, folder_)) &&
        as_user(fmt::format(
            "{}pg_ctl -D {}/data -w -l {}/log -o "
            "\"-c listen_addresses= -c unix_socket_directories={} -c fsync=off -c timezone=UTC\" "
            "start",
            kBinaries, folder_, folder_, folder_));
    if (!runs_) std::cout << "FAILED to start PostgreSQL in " << folder_ << "\n";
  }
  ~PrivatePostgres() {
    if (folder_.empty()) return;
    as_user(fmt::format("{}pg_ctl -D {}/data -m immediate stop", kBinaries, folder_));
    std::filesystem::remove_all(folder_);
  }
  static bool run(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;  // NOLINT: a test's own text
  }
  static bool as_user(const std::string& command) {
    if (::getuid() != 0) return run(command);
    return run(fmt::format("cd / && setpriv --reuid=postgres --regid=postgres --clear-groups {}",
                           command));
  }
  std::string folder_;
  bool runs_ = false;
};

}  // namespace theriac
