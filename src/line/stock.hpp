// The line's sealed stock of numbers: what is drawn of it, what was reported, and what goes back.
//
// Numbers are opened only where they are drawn, reported or given back, and stay in this program's
// memory; on the disk is what came from the server. Reports wait for the server sealed in the same
// way.
//
// Errors: Code::kNotAuthentic when the stock is sealed to another certificate; those of Book.
// Threading: one thread at a time, with a Book of its own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "codec/json.hpp"
#include "crypto/hash.hpp"
#include "line/book.hpp"
#include "line/order.hpp"
#include "pki/credentials.hpp"

namespace theriac::line {

/// The line's certificate and key. Shared by threads: nothing in it changes.
class Holder {
 public:
  static Result<Holder> load(const std::string& directory);
  [[nodiscard]] Result<Bytes> seal(std::string_view plain) const;
  [[nodiscard]] Result<std::string> open(ByteView sealed) const;
  [[nodiscard]] const pki::Credentials& credentials() const { return credentials_; }

 private:
  explicit Holder(pki::Credentials credentials) : credentials_(std::move(credentials)) {}
  pki::Credentials credentials_;
};

/// Where a number is: which of an allocation's.
struct Position {
  std::int64_t allocation = 0, at = 0;
};

class Stock {
 public:
  Stock(Book& book, const Holder& holder, Random& random)
      : book_(&book), holder_(&holder), random_(&random) {}

  struct Level {
    std::int64_t left = 0;  ///< that may be drawn now
    std::int64_t aged = 0;  ///< that are too old
  };
  Result<Level> level(std::int64_t lot, std::int64_t now_ms);

  // What follows is for inside Book::together().

  /// The oldest first; nullopt, and nothing drawn, when there are not so many.
  Result<std::optional<std::vector<Piece>>> draw(std::int64_t lot, std::int64_t count,
                                                 std::int64_t now_ms);
  /// What was not drawn yet goes back to the server: of a lot that is done, or what is too old.
  /// How many.
  Result<std::int64_t> withdraw(std::int64_t lot, std::optional<std::int64_t> aged_at_ms,
                                std::int64_t now_ms);
  Status note_reported(const std::vector<Position>& positions);
  /// A call to the server, sealed until it is confirmed.
  Status enqueue(const std::string& file, const codec::Json& call, std::int64_t now_ms);

  // --- and these anywhere

  Result<std::vector<std::string>> serials_of(const std::vector<Piece>& pieces);
  /// nullopt: none of those that the line was given for this lot.
  Result<std::vector<std::optional<Position>>> find(std::int64_t lot,
                                                    const std::vector<std::string>& serials);
  Result<bool> all_reported(const std::vector<Piece>& pieces);

 private:
  Result<const std::vector<std::string>*> numbers(std::int64_t allocation);
  /// nullptr: it was altered on the disk, and is as if it were not there.
  Result<const std::vector<std::string>*> numbers_if_whole(const StockRow& row);
  Book* book_;
  const Holder* holder_;
  Random* random_;
  std::map<std::int64_t, std::vector<std::string>> opened_;
};

}  // namespace theriac::line
