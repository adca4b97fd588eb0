#include "private_postgres.hpp"

#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

extern char** environ;

namespace theriac::testing_support {
namespace {

const std::string kBinaries = "/usr/lib/postgresql/15/bin/";

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "private PostgreSQL: %s\n", why.c_str());
  std::exit(1);
}

}  // namespace

std::string run_program(const std::vector<std::string>& arguments, bool must_succeed) {
  std::vector<std::string> words;
  if (geteuid() == 0) words = {"runuser", "-u", "postgres", "--"};  // PostgreSQL refuses root
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // A file, not a pipe: the server that pg_ctl leaves behind would keep a pipe open.
  std::FILE* output = std::tmpfile();
  if (output == nullptr) stop("no temporary file");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(output), 1);
  posix_spawn_file_actions_adddup2(&actions, fileno(output), 2);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) stop("cannot start " + words[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::string text;
  std::rewind(output);
  for (int c = std::fgetc(output); c != EOF; c = std::fgetc(output)) {
    text += static_cast<char>(c);
  }
  std::fclose(output);
  if (must_succeed && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
    stop(arguments[0] + ": " + text);
  }
  return text;
}

PrivatePostgres::PrivatePostgres() {
  std::string pattern = (std::filesystem::temp_directory_path() / "theriac-pg-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) stop("no temporary folder");
  folder_ = pattern;
  if (geteuid() == 0) {
    const auto* account = getpwnam("postgres");
    if (account == nullptr || chown(pattern.c_str(), account->pw_uid, account->pw_gid) != 0) {
      stop("no account postgres");
    }
  }
  std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  const auto data = (folder_ / "data").string();
  run_program({kBinaries + "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
               "--auth=trust", "--no-sync"});
  run_program({kBinaries + "pg_ctl", "-D", data, "-w", "-l", (folder_ / "log").string(), "-o",
               "-c listen_addresses= -c unix_socket_directories=" + folder_.string() +
                   " -c fsync=off -c full_page_writes=off -c log_min_error_statement=panic",
               "start"});
}

PrivatePostgres::~PrivatePostgres() {
  run_program(
      {kBinaries + "pg_ctl", "-D", (folder_ / "data").string(), "-w", "-m", "immediate", "stop"},
      false);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string PrivatePostgres::conninfo(const std::string& database, const std::string& user) const {
  return "host=" + folder_.string() + " dbname=" + database + " user=" + user;
}

std::string PrivatePostgres::schema_dump(const std::string& database) const {
  const auto text = run_program({kBinaries + "pg_dump", "--schema-only", "-d", conninfo(database)});
  // pg_dump marks its output with random words against injection (\restrict).
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("\\restrict") && !line.starts_with("\\unrestrict")) out += line + '\n';
  }
  return out;
}

}  // namespace theriac::testing_support
