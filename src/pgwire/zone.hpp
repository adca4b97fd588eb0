// Time zones as PostgreSQL knows them: the system's TZif files (RFC 9636), POSIX rules, and fixed
// offsets. Debian's PostgreSQL reads the same files, so both agree to the second, abbreviations
// included. Threading: a Zone never changes and may be shared; find() is thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "pgwire/posix_zone.hpp"

namespace theriac::pgwire {

inline constexpr std::size_t kZoneNameBytesMax = 255;

class Zone {
 public:
  /// A zone named in a timestamp or by SET TimeZone: IANA name in any case, or POSIX rule.
  /// Loaded files are kept for the life of the process (there are about 600).
  /// Code::kUnsupported: unknown here, or counting leap seconds.
  static Result<std::shared_ptr<const Zone>> find(std::string_view name);
  /// As find(), and also a number of hours ("8", "-3.5"), as SET TimeZone takes them.
  static Result<std::shared_ptr<const Zone>> find_session(std::string_view name);
  static Result<Zone> from_tzif(ByteView file);
  explicit Zone(PosixZone rule) : rule_(std::move(rule)) {}

  /// What is in force at a time in seconds from 1970-01-01 UTC.
  [[nodiscard]] const LocalType& at(std::int64_t time) const;
  /// Seconds east of UTC for a local time (seconds from 1970-01-01 local). In a gap the offset
  /// before it is taken, in an overlap the one after it: PostgreSQL's choice.
  [[nodiscard]] std::int32_t offset_of_local(std::int64_t local) const;

 private:
  Zone() = default;
  struct Next {
    const LocalType* before = nullptr;
    std::int64_t at = 0;
    const LocalType* after = nullptr;  ///< nullptr: nothing changes any more
  };
  [[nodiscard]] Next next_after(std::int64_t time) const;
  [[nodiscard]] const LocalType& first_standard() const;
  void choose_early();

  std::vector<LocalType> types_;
  std::vector<std::int64_t> times_;    ///< ascending
  std::vector<std::uint8_t> type_of_;  ///< per time, index of types_
  std::size_t early_ = 0;              ///< type before the first time
  std::optional<PosixZone> rule_;      ///< after the last time; always, if there is none
};

}  // namespace theriac::pgwire
