// The folder side of `theriac line`: takes what the line drops, answers from the stock, writes
// reports down for the uplink. It never waits for the server but for a request that the stock
// cannot answer, and for that no longer than `patience`.
//
// Threading: one thread.
#pragma once

#include <map>
#include <memory>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "line/config.hpp"
#include "line/folders.hpp"
#include "line/stock.hpp"
#include "line/uplink.hpp"

namespace theriac::line {

class Station {
 public:
  struct Parts {
    const Config* config;
    const Holder* holder;
    Folders* folders;
    Uplink* uplink;
    const Clock* clock;
    Random* random;
    Log* log;
  };
  /// Code::kNotAuthentic when the state is another certificate's.
  static Result<std::unique_ptr<Station>> make(const Parts& parts);

  /// One look at the folder `in`. True: something was done.
  Result<bool> look();

 private:
  /// A file of `in`, as it is being handled.
  struct Taken {
    std::string name;
    Bytes mark;  ///< keyed digest of name and content
    std::string short_mark;
    Form form{};
    Order order;
  };
  enum class Outcome : std::uint8_t { kDone, kWaits };

  Station(const Parts& parts, Book book);
  Status open_mark_key();
  Result<Outcome> take(const std::string& name);
  Result<Outcome> handle(const Taken& taken, ByteView bytes);
  Result<Outcome> give_numbers(const Taken& taken, ByteView bytes);
  Result<std::optional<Reason>> draw(const Taken& taken, bool& waits);
  Result<std::optional<Reason>> cannot_draw(const Taken& taken, const LotRow& lot, bool& waits);
  Status forget_lot(const Taken& taken);
  Status answer_numbers(const Taken& taken, AnswerState state);
  Status open_or_close(const Taken& taken);
  Result<std::optional<Fault>> keep_report(const Taken& taken);
  Status finish(const Taken& taken);
  Result<Outcome> refuse(const Taken& taken, ByteView bytes, const Fault& fault);
  Status remove_reported();
  Result<bool> clock_moved();

  Parts parts_;
  Book book_;
  Stock stock_;
  std::optional<crypto::HmacKey> mark_key_;
  std::map<Bytes, std::int64_t> waits_since_ms_;  ///< by mark, monotonic
  std::optional<Error> trouble_;                  ///< that was told
};

}  // namespace theriac::line
