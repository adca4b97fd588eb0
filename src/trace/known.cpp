#include "trace/known.hpp"

namespace theriac::trace {

void Known::forget() {
  tables_ = {};
  certificates_.clear();
  number_ = -1;
}

Status Known::begin(Work& work) {
  running_ = false;
  if (auto usable = work.vault.check(true); !usable) {
    forget();
    return usable;
  }
  std::int64_t number = 0;  // of a store without master data
  THERIAC_ASSIGN(auto rows, work.session.query_all("SELECT next FROM counters WHERE name = $1",
                                                   std::string_view("changes")));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (found) number = rows->integer(0);
  if (number != number_) forget();
  number_ = number;
  running_ = true;
  return {};
}

std::optional<std::int64_t> Known::partner_of(const std::string& certificate) const {
  const auto at = certificates_.find(certificate);
  if (!running_ || at == certificates_.end()) return std::nullopt;
  return at->second;
}

void Known::put_partner_of(const std::string& certificate, std::int64_t partner) {
  if (!running_) return;
  if (certificates_.size() >= kKnownRowsMax) certificates_.clear();
  certificates_.emplace(certificate, partner);
}

}  // namespace theriac::trace
