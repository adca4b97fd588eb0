// Progress of long work on standard error: a bar, percent, rate and time left; only when standard
// error is a terminal, and never more than ten times a second.
//
// Threading: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace theriac::cli {

/// One line without control characters. `all` 0: not known, then only the count and the rate.
/// "sealing public.customers  ████████░░░░  66 %  13,200/20,000 rows  5,120/s  1 s left"
std::string progress_line(std::string_view stage, std::int64_t done, std::int64_t all,
                          std::int64_t elapsed_ms, std::string_view unit);

/// 20,000
std::string with_commas(std::int64_t number);

class ProgressBar {
 public:
  /// Draws on file descriptor `fd`, if that is a terminal.
  ProgressBar(Clock& clock, std::string unit, int fd = 2);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// A new stage begins a new line; rates count from its beginning.
  void show(std::string_view stage, std::int64_t done, std::int64_t all);
  /// Ends the line, so that other text can follow.
  void finish();

 private:
  void write(std::string_view text) const;

  Clock* clock_;
  std::string unit_;
  int fd_;
  bool draws_;
  bool open_ = false;
  std::string stage_;
  std::int64_t started_ms_ = 0, drawn_ms_ = 0, first_ = 0;
};

}  // namespace theriac::cli
