#include "cli/seal_command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <functional>
#include <memory>

#include "base/files.hpp"
#include "cli/connection.hpp"
#include "cli/progress.hpp"
#include "crypto/random.hpp"
#include "seal/stream.hpp"

namespace theriac::cli {
namespace {

constexpr std::size_t kReadBytes = 1U << 20U;
constexpr std::uint64_t kProgressBytes = 1024;

struct SealFlags {
  Connection connection;
  std::string class_name = "files";
  std::string in;
  std::string out;
};

bool is_pipe(const std::string& path) { return path.empty() || path == "-"; }

/// Standard input or a file.
class Input {
 public:
  static Result<Input> open(const std::string& path) {
    if (is_pipe(path)) return Input(STDIN_FILENO, "standard input");
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_error(path);
    return Input(fd, path);
  }
  Input(Input&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), name_(std::move(other.name_)) {}
  Input& operator=(Input&&) = delete;
  ~Input() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  /// Zero at the end.
  Result<std::size_t> read(MutableBytes into) {
    while (true) {
      const auto got = ::read(fd_, into.data(), into.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return file_error(name_);
    }
  }
  /// Bytes in a regular file; zero when that cannot be known.
  [[nodiscard]] std::uint64_t size() const {
    struct stat found{};
    const bool regular = ::fstat(fd_, &found) == 0 && S_ISREG(found.st_mode);
    return regular ? static_cast<std::uint64_t>(found.st_size) : 0;
  }

 private:
  Input(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  int fd_;
  std::string name_;
};

/// Standard output, or a file that appears whole or not at all.
class Output {
 public:
  static Result<Output> open(const std::string& path) {
    if (is_pipe(path)) return Output(STDOUT_FILENO, {}, {});
    std::string unfinished = path + ".unfinished-XXXXXX";
    const int fd = ::mkostemp(unfinished.data(), O_CLOEXEC);  // mode 0600
    if (fd < 0) return file_error(path);
    return Output(fd, path, unfinished);
  }
  Output(Output&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        path_(std::move(other.path_)),
        unfinished_(std::exchange(other.unfinished_, {})) {}
  Output& operator=(Output&&) = delete;
  ~Output() {
    if (fd_ > STDOUT_FILENO) ::close(fd_);
    if (!unfinished_.empty()) ::unlink(unfinished_.c_str());
  }
  Status write(ByteView bytes) {
    while (!bytes.empty()) {
      const auto wrote = ::write(fd_, bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return file_error(path_.empty() ? "standard output" : path_);
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return {};
  }
  Status finish() {
    if (unfinished_.empty()) return {};
    if (::fsync(fd_) != 0 || ::rename(unfinished_.c_str(), path_.c_str()) != 0) {
      return file_error(path_);
    }
    unfinished_.clear();
    return sync_folder_of(path_);
  }

 private:
  Output(int fd, std::string path, std::string unfinished)
      : fd_(fd), path_(std::move(path)), unfinished_(std::move(unfinished)) {}
  int fd_;
  std::string path_;
  std::string unfinished_;
};

/// What stands between input and output.
struct Pump {
  std::function<Status(ByteView, Bytes&)> update;
  std::function<Status(Bytes&)> finish;
  /// The lease still holds; asked before every write.
  std::function<Status()> allowed;
};

Status run_pump(const SealFlags& flags, Input& input, std::string_view what, const Pump& pump) {
  THERIAC_ASSIGN(auto output, Output::open(flags.out));
  SystemClock clock;
  ProgressBar progress(clock, "KiB");
  const auto all = static_cast<std::int64_t>(input.size() / kProgressBytes);
  Bytes chunk(kReadBytes);
  Bytes out;
  std::uint64_t done = 0;
  auto work = [&]() -> Status {
    while (true) {
      THERIAC_ASSIGN(const auto got, input.read(chunk));
      if (got == 0) break;
      THERIAC_TRY(pump.update(ByteView(chunk).first(got), out));
      THERIAC_TRY(pump.allowed());
      THERIAC_TRY(output.write(out));
      out.clear();
      done += got;
      progress.show(what, static_cast<std::int64_t>(done / kProgressBytes), all);
    }
    THERIAC_TRY(pump.finish(out));
    THERIAC_TRY(output.write(out));
    return output.finish();
  };
  auto result = work();
  progress.finish();
  wipe(chunk);
  wipe(out);
  return result;
}

Result<std::unique_ptr<lease::LeaseClient>> start_lease(const SealFlags& flags, Clock& clock,
                                                        Random& random, Log& log) {
  THERIAC_ASSIGN(auto options, lease_options(flags.connection, {{flags.class_name, 0}}));
  return lease::LeaseClient::start(std::move(options), clock, random, log, {});
}

Status seal_stream(const SealFlags& flags) {
  if (is_pipe(flags.out) && ::isatty(STDOUT_FILENO) == 1) {
    return fail(Code::kUsage, "sealed bytes are not for a terminal: -o OUT");
  }
  THERIAC_ASSIGN(auto input, Input::open(flags.in));
  SystemClock clock;
  crypto::SystemRandom random;
  FdLog log("theriac", STDERR_FILENO, Level::kError);
  THERIAC_ASSIGN(const auto lease, start_lease(flags, clock, random, log));
  THERIAC_ASSIGN(const auto ring, lease->ring(flags.class_name, false));
  const auto* key = ring->active(flags.class_name, seal::Purpose::kStream);
  if (key == nullptr) return fail(Code::kUnknownKey, "stream key of class " + flags.class_name);
  THERIAC_ASSIGN(auto sealer, seal::StreamSealer::make(*key, ring->tenant, random));
  return run_pump(flags, input, "sealing",
                  {[&](ByteView plain, Bytes& out) { return sealer.update(plain, out); },
                   [&](Bytes& out) { return sealer.finish(out); },
                   [&]() -> Status {
                     THERIAC_TRY(lease->ring(flags.class_name, false));
                     return {};
                   }});
}

Status open_stream(const SealFlags& flags) {
  THERIAC_ASSIGN(auto input, Input::open(flags.in));
  SystemClock clock;
  crypto::SystemRandom random;
  FdLog log("theriac", STDERR_FILENO, Level::kError);
  THERIAC_ASSIGN(const auto lease, start_lease(flags, clock, random, log));
  THERIAC_ASSIGN(const auto ring, lease->ring(flags.class_name, true));
  const auto lookup = [&ring](const KeyId& id) -> const seal::LeasedKey* {
    for (const auto& key : ring->keys) {
      if (key.id == id && key.purpose == seal::Purpose::kStream) return &key;
    }
    return nullptr;
  };
  seal::StreamOpener opener(lookup, ring->tenant);
  return run_pump(flags, input, "opening",
                  {[&](ByteView sealed, Bytes& out) { return opener.update(sealed, out); },
                   [&](Bytes& out) { return opener.finish(out); },
                   [&]() -> Status {
                     THERIAC_TRY(lease->ring(flags.class_name, true));
                     return {};
                   }});
}

void add_one(CLI::App& app, int& exit_code, const char* name, const char* what,
             Status (*run)(const SealFlags&)) {
  auto* command = app.add_subcommand(name, what);
  const auto flags = std::make_shared<SealFlags>();  // shared with the callback
  add_connection_options(*command, flags->connection);
  command->add_option("--class", flags->class_name, "class of the stream key")
      ->capture_default_str();
  command->add_option("in", flags->in, "file; standard input when missing or -");
  command->add_option("-o,--out", flags->out, "file; standard output when missing or -");
  command->callback([flags, &exit_code, name, run] {
    const auto done = run(*flags);
    exit_code = done ? 0 : report_failure(std::string("theriac ") + name, done.error());
  });
}

}  // namespace

void add_seal_commands(CLI::App& app, int& exit_code) {
  add_one(app, exit_code, "seal", "seal a file or a pipe", seal_stream);
  add_one(app, exit_code, "open", "open a sealed file or pipe", open_stream);
}

}  // namespace theriac::cli
