// Messages of a client and of a server, in any order, into the enforce session: no crash, and no
// value that is addressed to a protected column ever goes to the server.
#include <cstddef>
#include <cstdint>

#include "gateway/enforce_session_fakes.hpp"

using namespace theriac;           // NOLINT
using namespace theriac::gateway;  // NOLINT

namespace {

constexpr std::string_view kCanary = "canary-in-clear";

// Every canary is addressed to public.people.name, whatever search_path the server claims.
constexpr std::array<std::string_view, 22> kTexts{
    "INSERT INTO public.people (id, name) VALUES (1, 'canary-in-clear')",
    "SELECT id FROM public.people WHERE name = 'canary-in-clear'",
    "UPDATE public.people SET name = 'canary-in-clear' WHERE id > 1",
    "SELECT name FROM public.people WHERE name LIKE 'canary-in-clear'",
    "DELETE FROM public.people WHERE name IN ('canary-in-clear', 'x') RETURNING name",
    "SELECT name, city FROM public.people",
    "SELECT city FROM cities",
    "SELECT name FROM people; SELECT city FROM cities",
    "BEGIN",
    "COMMIT",
    "ROLLBACK TO s",
    "SET search_path = other",
    "SELECT set_config('search_path', 'other', true)",
    "COPY public.people (id, name) FROM STDIN",
    "COPY public.people TO STDOUT",
    "COPY cities FROM STDIN",
    "DECLARE c CURSOR FOR SELECT name FROM public.people",
    "FETCH 2 FROM c",
    "this is no SQL",
    "SET search_path = other; INSERT INTO public.people (name) VALUES ('canary-in-clear')",
    "PREPARE s AS SELECT 1",
    ""};
/// With one parameter, which is a canary.
constexpr std::array<std::string_view, 4> kWithParameter{
    "INSERT INTO public.people (id, name) VALUES (1, $1)",
    "SELECT name FROM public.people WHERE name = $1", "UPDATE public.people SET name = $1",
    "SELECT name FROM public.people WHERE name LIKE $1"};
constexpr std::string_view kServerTags = "123CDEGHIKNRSTVWZcdnst~";
constexpr std::array<std::string_view, 4> kNames{"", "a", "b", "theriac_ask"};

/// What is left of the input, taken from its front.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  ByteView bytes(std::size_t most) {
    const auto taken = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  template <typename List>
  auto one_of(const List& list) {
    return list[byte() % list.size()];
  }

 private:
  ByteView rest_;
};

/// The service that all inputs share, and one session of it.
class Drive {
 public:
  Drive() {
    const pgwire::StartupMessage startup{.parameters = {{"user", "app"}}};
    session_ = *service().make_session(startup, [] {});
    Bytes greeting;
    const std::array<std::uint8_t, 4> ok{};
    pgwire::write_message(greeting, 'R', ok);
    pgwire::write_ready(greeting, 'I');
    server_.results["current_schemas"] = fakes::settings_answer("public", "app");
    from_server(greeting);
    deliver(1 << 16);
  }

  void step(Input& input) {
    switch (input.byte() % 8) {
      case 0:
      case 1:
      case 2:
        return client(input);
      case 3:
      case 4:
        return deliver(input.byte() % 4 == 0 ? input.byte() : 1 << 16);
      case 5: {  // something the server was not asked for
        Bytes told;
        pgwire::write_message(told, input.one_of(kServerTags), input.bytes(input.byte() % 24));
        return from_server(told);
      }
      case 6:
        answers_.clear();  // and something it does not say
        return;
      default: {
        Io io;
        session_->resume(io);
        take(io);
      }
    }
  }

 private:
  static EnforceService& service() {
    static ManualClock clock;
    static crypto::SystemRandom random;
    static NullLog log;
    static const auto made = [] {
      EnforceService::Parts parts;
      parts.policy = fakes::make_policy();
      parts.keys = std::make_shared<fakes::Keys>();
      parts.audit = std::make_shared<fakes::Trail>();
      parts.load = [](const std::string&, std::uint64_t) -> Result<Snapshot> {
        return Snapshot{fakes::catalogue(), nullptr};
      };
      parts.fingerprint = [](const std::string&) { return std::uint64_t{1}; };
      parts.first_database = "app";
      parts.clock = &clock;
      parts.random = &random;
      parts.log = &log;
      parts.catalogue_poll_ms = 60'000;
      return std::move(*EnforceService::start(std::move(parts)));
    }();
    return *made;
  }

  void take(const Io& io) {
    THERIAC_ASSERT(text_of(io.to_server).find(kCanary) == std::string_view::npos);
    // Across calls, too.
    tail_ += text_of(io.to_server);
    THERIAC_ASSERT(tail_.find(kCanary) == std::string::npos);
    tail_.erase(0, tail_.size() - std::min(tail_.size(), kCanary.size()));
    finished_ = finished_ || io.finished;
    append(answers_, server_.feed(io.to_server));
  }
  void from_server(ByteView bytes) {
    if (finished_) return;
    Io io;
    session_->from_server(bytes, io);
    take(io);
  }
  void deliver(std::size_t most) {
    const auto size = std::min(most, answers_.size());
    const Bytes part(answers_.begin(), answers_.begin() + static_cast<std::ptrdiff_t>(size));
    answers_.erase(answers_.begin(), answers_.begin() + static_cast<std::ptrdiff_t>(size));
    if (size > 0) from_server(part);
  }

  void client(Input& input) {
    if (finished_) return;
    Bytes out;
    const auto name = input.one_of(kNames);
    switch (input.byte() % 12) {
      case 0:
      case 1:
        pgwire::write_query(out, input.one_of(kTexts));
        break;
      case 2:
      case 3:
        pgwire::write_parse(out, name, input.one_of(kTexts), {});
        break;
      case 4:
        pgwire::write_parse(out, "with", input.one_of(kWithParameter), {});
        break;
      case 5: {
        pgwire::Bind bind;
        bind.portal = name;
        // Only this one takes a value.
        const bool with = input.byte() % 2 == 0;
        bind.statement = with ? "with" : input.one_of(kNames);
        if (with) bind.parameters = {{false, view_of(kCanary)}};
        if (input.byte() % 4 == 0) bind.result_formats = {1};
        pgwire::write_bind(out, bind);
        break;
      }
      case 6:
        pgwire::write_describe(out, {input.byte() % 2 == 0 ? 'S' : 'P', name});
        break;
      case 7:
        pgwire::write_execute(out, {name, input.byte() % 3});
        break;
      case 8:
        pgwire::write_close(out, {input.byte() % 2 == 0 ? 'S' : 'P', name});
        break;
      case 9:
        pgwire::write_sync(out);
        break;
      case 10:
        pgwire::write_message(out, static_cast<char>(input.one_of(std::string_view("Hdcf"))),
                              input.bytes(input.byte() % 16));
        break;
      default:
        append(out, input.bytes(input.byte() % 16));
    }
    Io io;
    session_->from_client(out, io);
    take(io);
  }

  std::unique_ptr<Session> session_;
  fakes::Server server_;
  Bytes answers_;
  std::string tail_;
  bool finished_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Drive drive;
  while (!input.empty()) drive.step(input);
  return 0;
}
