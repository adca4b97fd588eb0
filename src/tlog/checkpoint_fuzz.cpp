// Checkpoints from anywhere: what parses is written back byte for byte, and only a genuine
// signature opens.
#include "tlog/checkpoint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  using namespace theriac::tlog;
  static const VerifierKey kKey =
      parse_verifier_key(
          "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
          .value();
  const std::string_view input = text_of({data, size});
  if (const auto checkpoint = parse_checkpoint(input)) {
    THERIAC_ASSERT(format_checkpoint(*checkpoint) == input);
  }
  if (const auto opened = open_checkpoint(input, kKey)) {
    THERIAC_ASSERT(opened->origin == kKey.name);
    THERIAC_ASSERT(input.starts_with(format_checkpoint(*opened)));
  }
  return 0;
}
