// What a process may do with the keys it holds, decided from the clocks and from what the key
// service last said. Pure: no thread, no socket, no clock of its own.
//
//   holding   inside the lease by both clocks                      reading and writing
//   grace     lease over, service unreachable, class allows it     reading only, alarmed
//   refused   the service answered no (fenced, certificate, ...)   nothing, at once
//   over      everything else                                      nothing
//
// A class that the service answered as revoked is refused in every state: grace never covers it.
// Threading: none of its own; LeaseClient guards it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "lease/lease.hpp"

namespace theriac::lease {

class LeaseState {
 public:
  /// Seconds of reading grace by class; a class that is not named has none.
  explicit LeaseState(std::map<std::string, std::uint32_t, std::less<>> grace_s)
      : grace_s_(std::move(grace_s)) {}

  void granted(Keyring ring);
  /// The service answered, and the answer was no. Refusals of the holder itself (fenced,
  /// certificate, denied, revoked) end the lease at once; others (busy, disk full, clock) let it
  /// run out, without grace.
  void refused(Error error);
  void unreachable();

  /// The contract of KeySource::ring.
  [[nodiscard]] Result<std::shared_ptr<const Keyring>> ring(std::string_view class_name,
                                                            bool reading, std::int64_t wall_ms,
                                                            std::int64_t monotonic_ms) const;
  [[nodiscard]] bool holding(std::int64_t wall_ms, std::int64_t monotonic_ms) const;
  [[nodiscard]] bool in_grace(std::int64_t wall_ms, std::int64_t monotonic_ms) const;
  /// Drops the keys when no class may use them any more. True when it just did.
  bool forget_if_over(std::int64_t wall_ms, std::int64_t monotonic_ms);

  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] bool has_ring() const { return ring_ != nullptr; }
  /// Milliseconds until holding() ends; zero when it has.
  [[nodiscard]] std::int64_t left_ms(std::int64_t wall_ms, std::int64_t monotonic_ms) const;

 private:
  enum class Contact : std::uint8_t { kGranted, kAnswered, kUnreachable };
  [[nodiscard]] bool clock_moved(std::int64_t wall_ms) const;
  /// Milliseconds past the end of the lease, by the clock that says more.
  [[nodiscard]] std::int64_t overdue_ms(std::int64_t wall_ms, std::int64_t monotonic_ms) const;

  std::map<std::string, std::uint32_t, std::less<>> grace_s_;
  std::shared_ptr<const Keyring> ring_;  // shared with the sessions that use it
  std::optional<Error> refusal_;
  Contact contact_ = Contact::kUnreachable;
  std::uint64_t generation_ = 0;
};

}  // namespace theriac::lease
