#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>

namespace theriac::cli {
namespace {

constexpr std::int64_t kRedrawMs = 100;
constexpr std::int64_t kCells = 12;

std::string duration(std::int64_t seconds) {
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace

std::string with_commas(std::int64_t number) {
  auto out = std::to_string(number);
  const std::ptrdiff_t first = number < 0 ? 1 : 0;
  for (auto at = std::ssize(out) - 3; at > first; at -= 3) {
    out.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return out;
}

std::string progress_line(std::string_view stage, std::int64_t done, std::int64_t all,
                          std::int64_t elapsed_ms, std::string_view unit) {
  const auto rate = elapsed_ms > 0 ? done * 1000 / elapsed_ms : 0;
  std::string line(stage);
  if (all <= 0) {
    if (done > 0) line += fmt::format("  {} {}  {}/s", with_commas(done), unit, with_commas(rate));
    return line;
  }
  const auto part = std::clamp<std::int64_t>(done, 0, all);
  std::string bar;
  for (std::int64_t i = 0; i < kCells; ++i) bar += i < part * kCells / all ? "█" : "░";
  line += fmt::format("  {}  {:3} %  {}/{} {}", bar, part * 100 / all, with_commas(part),
                      with_commas(all), unit);
  if (rate > 0) {
    line += fmt::format("  {}/s", with_commas(rate));
    if (part < all) line += fmt::format("  {} left", duration((all - part + rate - 1) / rate));
  }
  return line;
}

ProgressBar::ProgressBar(Clock& clock, std::string unit, int fd)
    : clock_(&clock), unit_(std::move(unit)), fd_(fd), draws_(::isatty(fd) == 1) {}

ProgressBar::~ProgressBar() { finish(); }

void ProgressBar::show(std::string_view stage, std::int64_t done, std::int64_t all) {
  if (!draws_) return;
  const auto now = clock_->monotonic_ms();
  const bool fresh = !open_ || stage != stage_;
  if (fresh) {
    finish();
    stage_ = stage;
    started_ms_ = now;
    first_ = done;  // work of an earlier run does not count in the rate
    open_ = true;
  } else if (now - drawn_ms_ < kRedrawMs && done < all) {
    return;
  }
  drawn_ms_ = now;
  // The rate is of this run; the share is of everything.
  const auto elapsed = now - started_ms_;
  const auto mine = std::max<std::int64_t>(done - first_, 0);
  const auto scaled = mine > 0 ? elapsed * done / mine : 0;
  write("\r" + progress_line(stage_, done, all, scaled, unit_) + "\x1b[K");
}

void ProgressBar::finish() {
  if (open_) write("\n");
  open_ = false;
}

void ProgressBar::write(std::string_view text) const {
  while (!text.empty()) {
    const auto written = ::write(fd_, text.data(), text.size());
    if (written <= 0) return;  // nobody looks any more
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace theriac::cli
