// Master data that earlier transactions of a session have read: good until somebody changes any.
//
// Every change of master data takes a number of the counter `changes` (note_change), in the
// transaction that makes it; so what was read under one number is right under the same number,
// whichever program made the changes. A transaction asks for the number once, when it begins.
//
// Threading: as the session.
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "trace/limits.hpp"
#include "trace/master.hpp"

namespace theriac::trace {

class Known {
 public:
  /// At the beginning of each transaction: forgets what may have changed since; and everything when
  /// the keys may not be used now, which is the error then.
  Status begin(Work& work);
  /// The transaction changes master data, and may not be kept: nothing more is remembered of it.
  void stop() { running_ = false; }

  /// nullptr: not known here.
  template <typename T>
  const T* find(std::int64_t id) const {
    if (!running_) return nullptr;
    const auto& rows = std::get<Table<T>>(tables_).rows;
    const auto at = rows.find(id);
    return at == rows.end() ? nullptr : &at->second;
  }
  template <typename T>
  const T* find(const std::string& canonical) const {
    if (!running_) return nullptr;
    const auto& keys = std::get<Table<T>>(tables_).keys;
    const auto at = keys.find(canonical);
    return at == keys.end() ? nullptr : find<T>(at->second);
  }
  template <typename T>
  void put(const T& row, std::string canonical) {
    if (!running_) return;
    auto& table = std::get<Table<T>>(tables_);
    if (table.rows.size() >= kKnownRowsMax) table = {};
    table.rows.insert_or_assign(row.id, row);
    table.keys.insert_or_assign(std::move(canonical), row.id);
  }

  /// The partner a certificate's name is of, 0: of none; nullopt: not known here.
  [[nodiscard]] std::optional<std::int64_t> partner_of(const std::string& certificate) const;
  void put_partner_of(const std::string& certificate, std::int64_t partner);

 private:
  template <typename T>
  struct Table {
    std::unordered_map<std::int64_t, T> rows;
    std::unordered_map<std::string, std::int64_t> keys;
  };
  void forget();

  bool running_ = false;
  std::int64_t number_ = -1;
  std::tuple<Table<Product>, Table<Lot>, Table<Partner>, Table<Place>> tables_;
  std::unordered_map<std::string, std::int64_t> certificates_;
};

}  // namespace theriac::trace
