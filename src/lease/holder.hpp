// The holder's half of the token protocol: which request goes out next, and what an answer means
// for the token. Pure, so that lost replies, crashes and copies can be simulated.
// docs/design/lease-protocol.md, section "Tokens".
//
// Rule: the memory is stored before its pending request is sent, and a pending request is sent
// again, the same bytes, until it is answered. So a retry is told from a second holder.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "lease/reply.hpp"
#include "lease/token_file.hpp"

namespace theriac::lease {

class Holder {
 public:
  /// `boot`: 32 hexadecimal characters, drawn when the program started.
  Holder(Wanted wanted, std::string boot, Memory memory)
      : wanted_(std::move(wanted)), boot_(std::move(boot)), memory_(std::move(memory)) {}

  /// A request is already pending: next() will repeat it.
  [[nodiscard]] bool repeats() const { return !memory_.pending.empty(); }
  /// The request to send now, pending from here on. `nonce`, 32 hexadecimal characters, must never
  /// have been used; it is not looked at when a request is repeated.
  const std::string& next(const std::string& nonce);

  enum class Step : std::uint8_t {
    kDone,   ///< nothing more to ask now
    kAgain,  ///< ask once more at once, with a new request
  };
  /// The pending request was granted.
  Step granted(const std::string& token);
  /// It was refused, or (kClosed, kTimeout) not answered.
  Step failed(Code code);

  [[nodiscard]] const Memory& memory() const { return memory_; }

 private:
  Wanted wanted_;
  std::string boot_;
  Memory memory_;
  bool repeated_ = false;  ///< the pending request comes from an earlier attempt
};

/// The answer decided nothing: the request may have been carried out, now or when it was first
/// sent.
bool is_unclear(Code code);

}  // namespace theriac::lease
