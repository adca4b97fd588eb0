// theriac trace verify: is this pack what it says it is? Asks theriacd about scans, one after the
// other, and says of each what it answered.
//
// What is printed names scans by their place in the list and never repeats them, so that the output
// may be kept. Threading: one thread.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "cli/trace_server.hpp"

namespace theriac::cli {

/// The longest scan; GS1's longest symbol holds less than half.
inline constexpr std::size_t kScanBytesMax = 8192;

/// Scans of a command line, then those of a stream, one a line; empty lines are none.
class Scans {
 public:
  /// `stream` may be null; it must outlive this. "-" among `given` stands for `standard_input`.
  Scans(std::vector<std::string> given, std::istream* stream, std::istream& standard_input);
  /// The next one, none at the end. Code::kTooLarge past kScanBytesMax, kIo.
  Result<std::optional<std::string>> next();

 private:
  std::vector<std::string> given_;
  std::size_t used_ = 0;
  std::istream* stream_;
  std::istream* standard_input_;
  std::istream* reading_ = nullptr;
};

struct VerifyOptions {
  std::string place;  ///< GLN or GLN.EXTENSION where the scanner stands; empty: not said
  Language language = Language::kEnglish;
  bool json = false;
};

/// Whether all were genuine; false for none at all too. Each verdict is printed on standard output
/// as it comes.
Result<bool> verify_scans(const Ask& ask, Random& random, Scans& scans,
                          const VerifyOptions& options);

void add_trace_verify_command(CLI::App& trace, int& exit_code);

}  // namespace theriac::cli
