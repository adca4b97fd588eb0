#include "line/stock.hpp"

#include <algorithm>

#include "line/limits.hpp"
#include "pki/sealed_file.hpp"

namespace theriac::line {
namespace {

using codec::Json;

/// Allocations whose numbers are in memory at once.
constexpr std::size_t kOpenedMax = 32;

bool is_set(ByteView bits, std::int64_t at) {
  const auto byte = static_cast<std::size_t>(at / 8);
  return byte < bits.size() && ((bits[byte] >> static_cast<unsigned>(at % 8)) & 1U) != 0;
}
void set(Bytes& bits, std::int64_t at) {
  const auto byte = static_cast<std::size_t>(at / 8);
  if (byte < bits.size()) {
    bits[byte] = static_cast<std::uint8_t>(bits[byte] | (1U << static_cast<unsigned>(at % 8)));
  }
}

}  // namespace

Result<Holder> Holder::load(const std::string& directory) {
  THERIAC_ASSIGN(auto credentials, pki::load_credentials(pki::CredentialPaths::in(directory)));
  return Holder(std::move(credentials));
}
Result<Bytes> Holder::seal(std::string_view plain) const {
  return pki::seal_file(view_of(plain), credentials_.certificate);
}
Result<std::string> Holder::open(ByteView sealed) const {
  THERIAC_ASSIGN(const auto plain,
                 pki::open_file(sealed, credentials_.certificate, credentials_.key));
  return std::string(text_of(plain));
}

Result<const std::vector<std::string>*> Stock::numbers(std::int64_t allocation) {
  if (const auto found = opened_.find(allocation); found != opened_.end()) return &found->second;
  THERIAC_ASSIGN(const auto sealed, book_->sealed_stock(allocation));
  THERIAC_ASSIGN(const auto plain, holder_->open(sealed));
  THERIAC_ASSIGN(const auto json, codec::parse_json(plain));
  const auto serials = json.is_object() ? json.find("serials") : json.end();
  if (serials == json.end() || !serials->is_array()) return fail(Code::kMalformed, "stock");
  std::vector<std::string> all;
  for (const auto& one : *serials) {
    if (!one.is_string()) return fail(Code::kMalformed, "stock");
    all.push_back(one.get<std::string>());
  }
  // Looked up by halves.
  if (!std::ranges::is_sorted(all)) return fail(Code::kMalformed, "stock");
  if (opened_.size() >= kOpenedMax) opened_.erase(opened_.begin());
  return &opened_.emplace(allocation, std::move(all)).first->second;
}

Result<const std::vector<std::string>*> Stock::numbers_if_whole(const StockRow& row) {
  const auto found = numbers(row.allocation);
  if (!found && found.error().code != Code::kNotAuthentic &&
      found.error().code != Code::kMalformed) {
    return fail(found.error());
  }
  const bool whole = found && static_cast<std::int64_t>((*found)->size()) == row.count;
  return whole ? *found : nullptr;
}

Result<Stock::Level> Stock::level(std::int64_t lot, std::int64_t now_ms) {
  THERIAC_ASSIGN(const auto rows, book_->stock_of(lot));
  Level level;
  for (const auto& one : rows) {
    (one.expires_ms > now_ms ? level.left : level.aged) += one.count - one.drawn;
  }
  return level;
}

Result<std::optional<std::vector<Piece>>> Stock::draw(std::int64_t lot, std::int64_t count,
                                                      std::int64_t now_ms) {
  THERIAC_ASSIGN(const auto rows, book_->stock_of(lot));
  std::vector<Piece> pieces;
  for (const auto& one : rows) {
    const auto take = one.expires_ms > now_ms ? std::min(count, one.count - one.drawn) : 0;
    if (take == 0) continue;
    THERIAC_ASSIGN(const auto* whole, numbers_if_whole(one));
    if (whole == nullptr) continue;
    pieces.push_back({one.allocation, one.drawn, take});
    count -= take;
  }
  if (count > 0) return std::nullopt;
  for (const auto& one : pieces) {
    THERIAC_TRY(book_->set_drawn(one.allocation, one.first + one.count));
  }
  return pieces;
}

Result<std::int64_t> Stock::withdraw(std::int64_t lot, std::optional<std::int64_t> aged_at_ms,
                                     std::int64_t now_ms) {
  THERIAC_ASSIGN(const auto rows, book_->stock_of(lot));
  std::int64_t withdrawn = 0;
  for (const auto& one : rows) {
    if (one.drawn == one.count || (aged_at_ms && one.expires_ms > *aged_at_ms)) continue;
    THERIAC_ASSIGN(const auto* whole, numbers_if_whole(one));
    if (whole == nullptr) continue;
    const Piece rest{one.allocation, one.drawn, one.count - one.drawn};
    THERIAC_ASSIGN(const auto serials, serials_of({rest}));
    std::vector<Position> positions;
    for (auto at = rest.first; at < one.count; ++at) positions.push_back({one.allocation, at});
    THERIAC_TRY(book_->set_drawn(one.allocation, one.count));
    THERIAC_TRY(note_reported(positions));
    for (std::size_t at = 0; at < serials.size(); at += kCallItemsMax) {
      const auto end = std::min(at + kCallItemsMax, serials.size());
      const std::vector<std::string> some(serials.begin() + static_cast<std::ptrdiff_t>(at),
                                          serials.begin() + static_cast<std::ptrdiff_t>(end));
      THERIAC_TRY(enqueue("stock", {{"return", one.allocation}, {"serials", some}}, now_ms));
    }
    withdrawn += rest.count;
  }
  return withdrawn;
}

Status Stock::note_reported(const std::vector<Position>& positions) {
  std::map<std::int64_t, std::vector<std::int64_t>> by_allocation;
  for (const auto& one : positions) by_allocation[one.allocation].push_back(one.at);
  for (const auto& [allocation, all] : by_allocation) {
    THERIAC_ASSIGN(auto bits, book_->reported(allocation));
    for (const auto at : all) set(bits, at);
    THERIAC_TRY(book_->set_reported(allocation, bits));
  }
  return {};
}

Status Stock::enqueue(const std::string& file, const Json& call, std::int64_t now_ms) {
  THERIAC_ASSIGN(auto sealed, holder_->seal(codec::canonical_json(call)));
  std::array<std::uint8_t, 16> key{};
  random_->fill(key);
  return book_->add_waiting(
      {.key = to_hex(key), .file = file, .made_ms = now_ms, .sealed = std::move(sealed)});
}

Result<std::vector<std::string>> Stock::serials_of(const std::vector<Piece>& pieces) {
  std::vector<std::string> serials;
  for (const auto& one : pieces) {
    THERIAC_ASSIGN(const auto* all, numbers(one.allocation));
    if (one.first < 0 || one.count < 0 ||
        static_cast<std::size_t>(one.first + one.count) > all->size()) {
      return fail(Code::kNotAuthentic, "stock");
    }
    const auto from = all->begin() + one.first;
    serials.insert(serials.end(), from, from + one.count);
  }
  return serials;
}

Result<std::vector<std::optional<Position>>> Stock::find(std::int64_t lot,
                                                         const std::vector<std::string>& serials) {
  THERIAC_ASSIGN(const auto rows, book_->stock_of(lot));
  std::vector<std::optional<Position>> found(serials.size());
  for (const auto& one : rows) {
    THERIAC_ASSIGN(const auto* all, numbers_if_whole(one));
    if (all == nullptr) continue;
    for (std::size_t i = 0; i < serials.size(); ++i) {
      const auto at = std::ranges::lower_bound(*all, serials[i]);
      if (at == all->end() || *at != serials[i] || at - all->begin() >= one.drawn) continue;
      found[i] = Position{one.allocation, at - all->begin()};
    }
  }
  return found;
}

Result<bool> Stock::all_reported(const std::vector<Piece>& pieces) {
  for (const auto& one : pieces) {
    THERIAC_ASSIGN(const auto bits, book_->reported(one.allocation));
    for (auto at = one.first; at < one.first + one.count; ++at) {
      if (!is_set(bits, at)) return false;
    }
  }
  return true;
}

}  // namespace theriac::line
