// What goes between the line and theriacd, on a thread of its own so that the line never waits for
// it: draws for the stock, reports in their order, and a sign of life. Everything that is sent was
// written down before, under an Idempotency-Key, and is crossed out when it is confirmed.
//
// Errors of the network are waited out. What the server refuses is put into the folder of refused
// files, sealed, and does not come again; "denied" alone waits, since nothing is wrong with the
// report.
//
// Threading: run() and step() on one thread; the rest from any.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "http/client.hpp"
#include "line/config.hpp"
#include "line/folders.hpp"
#include "line/stock.hpp"

namespace theriac::line {

class Uplink {
 public:
  struct Parts {
    const Config* config;
    const Holder* holder;
    const Folders* folders;
    const Clock* clock;
    Random* random;
    Log* log;
  };
  static Result<std::unique_ptr<Uplink>> make(const Parts& parts);

  /// Until stop().
  void run();
  void stop();
  /// There is something to do, or somebody waits for numbers.
  void nudge();
  /// When an attempt failed last, on the monotonic clock; 0: none did.
  std::int64_t failed_at_ms();

  /// One thing: true when something was done. For run(), and for tests.
  Result<bool> step();

 private:
  struct Reply {
    int status = 0;
    codec::Json json;  ///< null: none
    Bytes body;
    [[nodiscard]] std::string code() const;
  };
  explicit Uplink(const Parts& parts, Book book);
  void note_trouble(const Result<bool>& done);
  Result<Reply> ask(const std::string& path, const codec::Json& body, const std::string& key = {});
  Status note_contact(const http::ClientReply& reply);
  Status find_place();
  Result<std::int64_t> server_lot(const LotRow& lot);
  Result<bool> refill();
  Result<bool> finish_draw();
  Status keep_draw(const DrawRow& draw, const LotRow& lot, const codec::Json& made);
  Status give_up_draw(const DrawRow& draw, const LotRow& lot, const std::string& code);
  Result<bool> withdraw_aged();
  Result<bool> send_first();
  Result<Reply> send(const WaitingRow& row, const codec::Json& call);
  Status cross_out(const WaitingRow& row, const codec::Json& call, const Reply& reply);

  Parts parts_;
  Book book_;
  Stock stock_;
  std::unique_ptr<http::BlockingClient> client_;
  std::int64_t place_ = 0, heard_at_ms_ = 0, server_ms_ = 0;
  int conflicts_ = 0;
  std::map<std::int64_t, std::int64_t> refused_at_ms_;  ///< of lots, monotonic

  std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  bool stopping_ = false, nudged_ = false;
  std::int64_t failed_at_ms_ = 0;
};

}  // namespace theriac::line
