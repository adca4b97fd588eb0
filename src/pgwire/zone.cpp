#include "pgwire/zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "pgwire/calendar.hpp"
#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

constexpr const char* kZoneFolder = "/usr/share/zoneinfo";
constexpr std::size_t kZoneFileBytesMax = 1U << 18U;

/// Big-endian fields of a TZif file; past its end everything reads as zero and good() is false.
class TzifReader {
 public:
  explicit TzifReader(ByteView file) : rest_(file) {}
  template <std::unsigned_integral T>
  T take() {
    const auto raw = bytes(sizeof(T));
    return raw.empty() ? T{} : load_be<T>(raw.data());
  }
  ByteView bytes(std::size_t size) {
    if (size > rest_.size()) {
      good_ = false;
      return {};
    }
    const auto found = rest_.first(size);
    rest_ = rest_.subspan(size);
    return found;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
  bool good_ = true;
};

struct TzifHead {
  std::uint8_t version = 0;
  std::size_t ut = 0, standard = 0, leaps = 0, times = 0, types = 0, characters = 0;

  static std::optional<TzifHead> take(TzifReader& reader) {
    TzifHead head;
    if (text_of(reader.bytes(4)) != "TZif") return std::nullopt;
    head.version = reader.take<std::uint8_t>();
    reader.bytes(15);
    for (auto* count :
         {&head.ut, &head.standard, &head.leaps, &head.times, &head.types, &head.characters}) {
      *count = reader.take<std::uint32_t>();
      if (*count > kZoneFileBytesMax) return std::nullopt;
    }
    if (!reader.good()) return std::nullopt;
    return head;
  }
  [[nodiscard]] std::size_t body_bytes(std::size_t time_bytes) const {
    return times * (time_bytes + 1) + types * 6 + characters + leaps * (time_bytes + 4) + standard +
           ut;
  }
};

/// All zone files of the system by lower-case name. Names come from here only, so that no input
/// can name another file.
const std::map<std::string, std::filesystem::path>& zone_files() {
  static const auto files = [] {
    namespace fs = std::filesystem;
    std::map<std::string, fs::path> found;
    std::error_code error;
    for (auto it = fs::recursive_directory_iterator(kZoneFolder, error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      const auto name = it->path().lexically_relative(kZoneFolder).string();
      if (it->is_directory(error)) {
        // "right" counts leap seconds, which PostgreSQL refuses.
        if (name == "right") it.disable_recursion_pending();
        continue;
      }
      // These two say what the machine's administrator chose, on the gateway's machine.
      if (name == "localtime" || name == "posixrules" || name.starts_with('.')) continue;
      found.emplace(to_lower(name), it->path());
    }
    return found;
  }();
  return files;
}

Result<std::shared_ptr<const Zone>> load(const std::string& lower_name) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Zone>> loaded;
  const std::lock_guard lock(mutex);
  if (const auto known = loaded.find(lower_name); known != loaded.end()) return known->second;
  const auto file = zone_files().find(lower_name);
  if (file == zone_files().end()) return fail(Code::kUnsupported, "time zone");
  std::ifstream stream(file->second, std::ios::binary);
  Bytes content;
  for (int c = stream.get(); c >= 0 && content.size() <= kZoneFileBytesMax; c = stream.get()) {
    content.push_back(static_cast<std::uint8_t>(c));
  }
  THERIAC_ASSIGN(auto zone, Zone::from_tzif(content));
  auto shared = std::make_shared<const Zone>(std::move(zone));
  loaded.emplace(lower_name, shared);
  return shared;
}

std::shared_ptr<const Zone> utc() {
  static const auto zone = std::make_shared<const Zone>(*PosixZone::parse("UTC0"));
  return zone;
}
std::shared_ptr<const Zone> gmt() {
  static const auto zone = std::make_shared<const Zone>(*PosixZone::parse("GMT0"));
  return zone;
}

/// "8", "-3.5": hours east, to the POSIX rule that PostgreSQL makes of it.
std::optional<std::string> rule_of_hours(std::string_view name) {
  auto rest = trimmed(name);
  if (!rest.empty() && rest[0] == '+') rest.remove_prefix(1);
  double hours = 0;
  const auto* end = rest.data() + rest.size();
  if (rest.empty() || (!is_digit(rest.back()) && rest.back() != '.')) return std::nullopt;
  if (rest.find_first_not_of("0123456789.-") != std::string_view::npos) return std::nullopt;
  const auto [at, error] = std::from_chars(rest.data(), end, hours);
  if (error != std::errc{} || at != end || hours > 1000 || hours < -1000) return std::nullopt;
  const auto west = static_cast<long>(-hours * 3600);
  const auto size = std::labs(west);
  auto text = fmt::format("{:02}", size / 3600);
  if (size % 3600 != 0) text += fmt::format(":{:02}", size % 3600 / 60);
  if (size % 60 != 0) text += fmt::format(":{:02}", size % 60);
  return west > 0 ? fmt::format("<-{}>+{}", text, text) : fmt::format("<+{}>-{}", text, text);
}

}  // namespace

Result<std::shared_ptr<const Zone>> Zone::find(std::string_view name) {
  if (name.size() > kZoneNameBytesMax) return fail(Code::kUnsupported, "time zone");
  // Sessions use one zone, values name few: the last one found is nearly always the one asked for.
  thread_local std::string last_name;
  thread_local std::shared_ptr<const Zone> last;
  if (last && name == last_name) return last;
  const auto lower_name = to_lower(name);
  auto found = [&]() -> Result<std::shared_ptr<const Zone>> {
    if (lower_name == "utc") return utc();
    if (lower_name == "gmt") return gmt();
    if (auto loaded = load(lower_name)) return loaded;
    auto rule = name.starts_with(':') ? std::nullopt : PosixZone::parse(to_upper(name));
    if (!rule) return fail(Code::kUnsupported, "time zone");
    return std::make_shared<const Zone>(std::move(*rule));
  }();
  if (found) {
    last_name = name;
    last = *found;
  }
  return found;
}

Result<std::shared_ptr<const Zone>> Zone::find_session(std::string_view name) {
  // These stand for the server machine's own choice, which is not known here.
  const auto lower_name = to_lower(name);
  if (lower_name == "localtime" || lower_name == "posixrules") {
    return fail(Code::kUnsupported, "time zone");
  }
  if (const auto rule = rule_of_hours(name)) return find(*rule);
  return find(name);
}

Result<Zone> Zone::from_tzif(ByteView file) {
  const auto refused = [] { return fail(Code::kUnsupported, "time zone file"); };
  TzifReader reader(file);
  auto head = TzifHead::take(reader);
  if (!head) return refused();
  std::size_t time_bytes = 4;
  if (head->version >= '2') {  // the first block repeats the second in 32 bits
    reader.bytes(head->body_bytes(time_bytes));
    head = TzifHead::take(reader);
    time_bytes = 8;
    if (!head) return refused();
  }
  if (head->leaps != 0 || head->types == 0 || head->types > 255) return refused();

  Zone zone;
  for (std::size_t i = 0; i < head->times; ++i) {
    zone.times_.push_back(time_bytes == 8
                              ? static_cast<std::int64_t>(reader.take<std::uint64_t>())
                              : static_cast<std::int32_t>(reader.take<std::uint32_t>()));
  }
  for (std::size_t i = 0; i < head->times; ++i) {
    zone.type_of_.push_back(reader.take<std::uint8_t>());
    if (zone.type_of_.back() >= head->types) return refused();
  }
  std::vector<std::size_t> names;
  for (std::size_t i = 0; i < head->types; ++i) {
    LocalType type;
    type.offset = static_cast<std::int32_t>(reader.take<std::uint32_t>());
    type.daylight = reader.take<std::uint8_t>() != 0;
    names.push_back(reader.take<std::uint8_t>());
    if (names.back() >= head->characters ||
        std::abs(std::int64_t{type.offset}) > 7 * kSecondsPerDay) {
      return refused();
    }
    zone.types_.push_back(std::move(type));
  }
  const auto characters = text_of(reader.bytes(head->characters));
  reader.bytes(head->standard + head->ut);
  if (!reader.good() || !std::is_sorted(zone.times_.begin(), zone.times_.end())) return refused();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto name = characters.substr(names[i]);
    zone.types_[i].abbreviation = name.substr(0, name.find('\0'));
  }
  auto footer = text_of(reader.rest());
  if (footer.size() > 2 && footer.front() == '\n' && footer.back() == '\n') {
    zone.rule_ = PosixZone::parse(footer.substr(1, footer.size() - 2));
    // Compilers repeat the last type as filler; the rule takes over at the last real change.
    while (zone.rule_ && zone.times_.size() > 1 &&
           zone.type_of_.back() == zone.type_of_[zone.type_of_.size() - 2]) {
      zone.times_.pop_back();
      zone.type_of_.pop_back();
    }
  }
  zone.choose_early();
  return zone;
}

const LocalType& Zone::first_standard() const {
  const auto found =
      std::find_if(types_.begin(), types_.end(), [](const auto& type) { return !type.daylight; });
  return found == types_.end() ? types_.front() : *found;
}

void Zone::choose_early() {
  // RFC 9636: type 0. Files of before 2018f may mean another one; PostgreSQL still honours them.
  if (std::find(type_of_.begin(), type_of_.end(), 0) == type_of_.end()) return;
  if (types_[type_of_.front()].daylight) {
    for (std::size_t i = type_of_.front(); i-- > 0;) {
      if (!types_[i].daylight) {
        early_ = i;
        return;
      }
    }
  }
  early_ = static_cast<std::size_t>(&first_standard() - types_.data());
}

const LocalType& Zone::at(std::int64_t time) const {
  if (rule_ && (times_.empty() || time >= times_.back())) {
    const auto around = rule_->around(time);
    if (around && (times_.empty() || around->before.at > times_.back())) {
      return rule_->type(around->before.daylight);
    }
    if (types_.empty()) return rule_->constant();
  }
  if (times_.empty() || time < times_.front()) return types_[early_];
  const auto after = std::upper_bound(times_.begin(), times_.end(), time);
  return types_[type_of_[static_cast<std::size_t>(after - times_.begin()) - 1]];
}

Zone::Next Zone::next_after(std::int64_t time) const {
  if (times_.empty() || time >= times_.back()) {
    const bool constant = times_.empty() && !types_.empty() && !(rule_ && rule_->around(time));
    Next next{constant ? &first_standard() : &at(time), 0, nullptr};
    // A rule's change hidden behind the last change of the file is passed over.
    for (auto from = time; rule_;) {
      const auto around = rule_->around(from);
      if (!around) break;
      if (times_.empty() || around->after.at > times_.back()) {
        next.at = around->after.at;
        next.after = &rule_->type(around->after.daylight);
        break;
      }
      from = around->after.at;
    }
    return next;
  }
  const auto after = std::upper_bound(times_.begin(), times_.end(), time);
  const auto index = static_cast<std::size_t>(after - times_.begin());
  return {index == 0 ? &first_standard() : &types_[type_of_[index - 1]], *after,
          &types_[type_of_[index]]};
}

std::int32_t Zone::offset_of_local(std::int64_t local) const {
  // No zone is a day away from UTC, and changes are at least two days apart: the first change after
  // the local time, taken as UTC, less a day is the only one that can matter.
  const auto next = next_after(local - kSecondsPerDay);
  if (next.after == nullptr) return next.before->offset;
  const auto before = local - next.before->offset;
  const auto after = local - next.after->offset;
  if (before < next.at && after < next.at) return next.before->offset;
  if (before > next.at && after >= next.at) return next.after->offset;
  return before > after ? next.before->offset : next.after->offset;
}

}  // namespace theriac::pgwire
