// Writes an audit log for the independent check: write_log DIRECTORY ENTRIES. Prints the verifier
// key.
#include <cstdio>
#include <cstdlib>

#include "audit/log.hpp"
#include "crypto/random.hpp"
#include "tlog/note.hpp"

int main(int argc, char** argv) {
  using namespace theriac;
  if (argc != 3) return 2;
  SystemClock clock;
  crypto::SystemRandom random;
  FdLog log("write_log");
  audit::Options options;
  options.directory = argv[1];
  options.origin = "theriac.example/independent";
  options.producer = "writer-1";
  options.checkpoint_ms = 5;  // many checkpoints, so many partial tiles
  auto key = crypto::Ed25519Key::generate();
  const auto vkey = tlog::make_verifier_key(options.origin, key.public_key());
  auto opened = audit::open_log(options, std::move(key), clock, random, log);
  if (!opened || !vkey) return 1;
  const long entries = std::strtol(argv[2], nullptr, 10);
  for (long i = 0; i < entries; ++i) {
    audit::Event event;
    event.action = "session.grant";
    event.actor = "张伟";
    event.role = "clerk";
    event.reason = "line\nbreak \"quoted\" \\ \x01";
    event.object = "class:patient";
    event.details["rows"] = i;
    event.details["nested"] = {{"b", {1, 2, 3}}, {"a", "text"}};
    if (i % 100 == 7 && !(*opened)->append_durable(event)) return 1;
    // 5 ms of queue are never more than it holds at this size.
    if (i % 100 != 7 && !(*opened)->append(std::move(event))) return 1;
  }
  opened->reset();
  std::printf("%s\n", tlog::format_verifier_key(*vkey).c_str());
  return 0;
}
