// Signed notes and verifier keys: what parses is written back byte for byte.
#include "tlog/note.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  using namespace theriac::tlog;
  const std::string_view input = text_of({data, size});
  if (const auto note = parse_note(input)) {
    THERIAC_ASSERT(format_note(*note) == input);
    THERIAC_ASSERT(!note->signatures.empty());
    const auto key = make_verifier_key(note->signatures[0].name, {});
    THERIAC_ASSERT(key.has_value());
    THERIAC_ASSERT(!verify_note(*note, *key));
  }
  if (const auto key = parse_verifier_key(input)) {
    THERIAC_ASSERT(parse_verifier_key(format_verifier_key(*key)).value() == *key);
  }
  return 0;
}
