// A private PostgreSQL 15 for one test program: own folder, Unix socket only, gone at the end.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace theriac::testing_support {

/// Runs a program, as the account `postgres` when this is root; its output. Stops the test program
/// if it fails and `must_succeed`.
std::string run_program(const std::vector<std::string>& arguments, bool must_succeed = true);

class PrivatePostgres {
 public:
  PrivatePostgres();
  ~PrivatePostgres();
  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;

  [[nodiscard]] std::string conninfo(const std::string& database,
                                     const std::string& user = "postgres") const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// pg_dump --schema-only, without what changes from run to run.
  [[nodiscard]] std::string schema_dump(const std::string& database) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace theriac::testing_support
