#include "trace/master.hpp"

#include <algorithm>

#include "codec/time.hpp"
#include "trace/known.hpp"
#include "trace/limits.hpp"
#include "trace/lines.hpp"
#include "trace/master_json.hpp"

namespace theriac::trace {
namespace {

using store::Param;

/// What a type of master data is to the database. `clear` are the columns beside id, key,
/// changed_ms and sealed, in the order of clear_values().
template <typename T>
struct Kind;

template <>
struct Kind<Product> {
  static constexpr auto kRecord = Record::kProduct;
  static constexpr auto kDomain = Domain::kProduct;
  static constexpr std::string_view kTable = "products";
  static constexpr std::string_view kInsert =
      "INSERT INTO products(id, key, changed_ms, sealed, state) VALUES($1, $2, $3, $4, $5)";
  static constexpr std::string_view kUpdate =
      "UPDATE products SET changed_ms = $2, sealed = $3, state = $4 WHERE id = $1";
  static constexpr std::string_view kById = "SELECT id, sealed, state FROM products WHERE id = $1";
  static constexpr std::string_view kByKey =
      "SELECT id, sealed, state FROM products WHERE key = $1";
  static constexpr std::string_view kPage =
      "SELECT id, sealed, state FROM products WHERE id > $1 ORDER BY id LIMIT $2";
  static std::string canonical(const Product& one) { return one.gtin; }
  static std::vector<Param> clear_values(const Product& one) {
    return {std::int64_t{one.active ? 1 : 0}};
  }
  static void read_clear(const store::Rows&, Product&) {}
};

template <>
struct Kind<Lot> {
  static constexpr auto kRecord = Record::kLot;
  static constexpr auto kDomain = Domain::kLot;
  static constexpr std::string_view kTable = "lots";
  static constexpr std::string_view kInsert =
      "INSERT INTO lots(id, key, changed_ms, sealed, product, state, recall) "
      "VALUES($1, $2, $3, $4, $5, $6, $7)";
  static constexpr std::string_view kUpdate =
      "UPDATE lots SET changed_ms = $2, sealed = $3, product = $4, state = $5, recall = $6 "
      "WHERE id = $1";
  static constexpr std::string_view kById =
      "SELECT id, sealed, product, state, recall FROM lots WHERE id = $1";
  static constexpr std::string_view kByKey =
      "SELECT id, sealed, product, state, recall FROM lots WHERE key = $1";
  static std::string canonical(const Lot& one) {
    return std::to_string(one.product) + ":" + one.number;
  }
  static std::vector<Param> clear_values(const Lot& one) {
    return {one.product, static_cast<std::int64_t>(one.state), one.recall};
  }
  static void read_clear(const store::Rows& rows, Lot& one) {
    one.product = rows.integer(2);
    one.state = static_cast<LotState>(rows.integer(3));
    one.recall = rows.integer(4);
  }
};

template <>
struct Kind<Partner> {
  static constexpr auto kRecord = Record::kPartner;
  static constexpr auto kDomain = Domain::kPartner;
  static constexpr std::string_view kTable = "partners";
  static constexpr std::string_view kInsert =
      "INSERT INTO partners(id, key, changed_ms, sealed) VALUES($1, $2, $3, $4)";
  static constexpr std::string_view kUpdate =
      "UPDATE partners SET changed_ms = $2, sealed = $3 WHERE id = $1";
  static constexpr std::string_view kById = "SELECT id, sealed FROM partners WHERE id = $1";
  static constexpr std::string_view kByKey = "SELECT id, sealed FROM partners WHERE key = $1";
  static constexpr std::string_view kPage =
      "SELECT id, sealed FROM partners WHERE id > $1 ORDER BY id LIMIT $2";
  static std::string canonical(const Partner& one) { return one.gln; }
  static std::vector<Param> clear_values(const Partner&) { return {}; }
  static void read_clear(const store::Rows&, Partner&) {}
};

template <>
struct Kind<Place> {
  static constexpr auto kRecord = Record::kPlace;
  static constexpr auto kDomain = Domain::kPlace;
  static constexpr std::string_view kTable = "places";
  static constexpr std::string_view kInsert =
      "INSERT INTO places(id, key, changed_ms, sealed, partner) VALUES($1, $2, $3, $4, $5)";
  static constexpr std::string_view kUpdate =
      "UPDATE places SET changed_ms = $2, sealed = $3, partner = $4 WHERE id = $1";
  static constexpr std::string_view kById = "SELECT id, sealed, partner FROM places WHERE id = $1";
  static constexpr std::string_view kByKey =
      "SELECT id, sealed, partner FROM places WHERE key = $1";
  static constexpr std::string_view kPage =
      "SELECT id, sealed, partner FROM places WHERE id > $1 ORDER BY id LIMIT $2";
  static std::string canonical(const Place& one) { return one.gln + "." + one.extension; }
  static std::vector<Param> clear_values(const Place& one) { return {one.partner}; }
  static void read_clear(const store::Rows& rows, Place& one) { one.partner = rows.integer(2); }
};

template <typename T>
Result<T> row_at(Work& work, const store::Rows& rows) {
  T one;
  one.id = rows.integer(0);
  constexpr auto kRecord = Kind<T>::kRecord;
  THERIAC_ASSIGN(const auto json,
                 open_json(work.vault, kRecord, row_of(kRecord, one.id), rows.bytes(1)));
  read(json, one);
  Kind<T>::read_clear(rows, one);
  return one;
}

template <typename T>
Result<std::optional<T>> first_row(Work& work, Result<std::unique_ptr<store::Rows>> found) {
  if (!found) return fail(std::move(found.error()));
  auto& rows = **found;
  THERIAC_ASSIGN(const bool is_there, rows.next());
  if (!is_there) return std::nullopt;
  THERIAC_ASSIGN(auto one, row_at<T>(work, rows));
  return one;
}

template <typename T>
Result<std::vector<T>> all_rows(Work& work, Result<std::unique_ptr<store::Rows>> found) {
  if (!found) return fail(std::move(found.error()));
  std::vector<T> all;
  for (;;) {
    THERIAC_ASSIGN(const bool is_there, (*found)->next());
    if (!is_there) return all;
    THERIAC_ASSIGN(auto one, row_at<T>(work, **found));
    all.push_back(std::move(one));
  }
}

template <typename T>
Result<T> by_id(Work& work, std::int64_t id) {
  const auto* known = work.known == nullptr ? nullptr : work.known->find<T>(id);
  if (known != nullptr) return *known;
  THERIAC_ASSIGN(auto found, first_row<T>(work, work.session.query_all(Kind<T>::kById, id)));
  if (!found) return fail(Code::kNotFound, std::string(Kind<T>::kTable));
  if (work.known != nullptr) work.known->put(*found, Kind<T>::canonical(*found));
  return std::move(*found);
}

template <typename T>
Result<std::optional<T>> by_key(Work& work, const std::string& canonical) {
  const auto* known = work.known == nullptr ? nullptr : work.known->find<T>(canonical);
  if (known != nullptr) return *known;
  THERIAC_ASSIGN(const auto key, work.vault.index(Kind<T>::kDomain, canonical));
  THERIAC_ASSIGN(auto found,
                 first_row<T>(work, work.session.query_all(Kind<T>::kByKey, ByteView(key))));
  if (found && work.known != nullptr) work.known->put(*found, canonical);
  return found;
}

template <typename T>
Result<std::vector<T>> page(Work& work, std::int64_t after, std::int64_t limit) {
  return all_rows<T>(work,
                     work.session.query_all(Kind<T>::kPage, after,
                                            std::clamp<std::int64_t>(limit, 1, kPageRowsMax)));
}

template <typename T>
Result<std::int64_t> insert(Work& work, T one, const Who& who) {
  THERIAC_TRY(check(one));
  THERIAC_ASSIGN(const auto before, by_key<T>(work, Kind<T>::canonical(one)));
  if (before) return fail(Code::kAlreadyExists, std::string(Kind<T>::kTable));
  THERIAC_ASSIGN(one.id, next_ids(work, Kind<T>::kTable));
  THERIAC_ASSIGN(const auto key, work.vault.index(Kind<T>::kDomain, Kind<T>::canonical(one)));
  constexpr auto kRecord = Kind<T>::kRecord;
  THERIAC_ASSIGN(const auto sealed,
                 seal_json(work.vault, kRecord, row_of(kRecord, one.id), json_of(one)));
  std::vector<Param> params{one.id, ByteView(key), work.now_ms, ByteView(sealed)};
  const auto clear = Kind<T>::clear_values(one);
  params.insert(params.end(), clear.begin(), clear.end());
  THERIAC_TRY(work.session.run(Kind<T>::kInsert, params));
  THERIAC_TRY(note_change(work, kRecord, one.id, who, nullptr));
  return one.id;
}

template <typename T>
Status update(Work& work, const T& one, const T& before, const Who& who) {
  constexpr auto kRecord = Kind<T>::kRecord;
  THERIAC_ASSIGN(const auto sealed,
                 seal_json(work.vault, kRecord, row_of(kRecord, one.id), json_of(one)));
  std::vector<Param> params{one.id, work.now_ms, ByteView(sealed)};
  const auto clear = Kind<T>::clear_values(one);
  params.insert(params.end(), clear.begin(), clear.end());
  THERIAC_TRY(work.session.run(Kind<T>::kUpdate, params));
  auto was = json_of(before);
  if constexpr (std::is_same_v<T, Lot>) {
    was["state"] = name_of(before.state);
    was["recall"] = before.recall;
  }
  return note_change(work, kRecord, one.id, who, was);
}

template <typename T>
Status change_row(Work& work, T one, const Who& who) {
  THERIAC_ASSIGN(const auto before, by_id<T>(work, one.id));
  if constexpr (std::is_same_v<T, Lot>) {
    one.product = before.product;
    one.state = before.state;
    one.recall = before.recall;
  }
  THERIAC_TRY(check(one));
  if (Kind<T>::canonical(one) != Kind<T>::canonical(before)) {
    return fail(Code::kConflict, "the key of a row cannot be changed");
  }
  return update(work, one, before, who);
}

/// A product never holds itself, at any depth.
Status check_levels(Work& work, const Product& one) {
  auto inner = one.inner;
  for (int depth = 1; inner != 0; ++depth) {
    if (inner == one.id || depth >= kNestingMax) return fail(Code::kMalformed, "inner");
    THERIAC_ASSIGN(const auto next, by_id<Product>(work, inner));
    inner = next.inner;
  }
  return {};
}

/// The names a partner's certificates have, in place of those it had.
Status set_names(Work& work, const Partner& partner) {
  THERIAC_TRY(work.session.run_all("DELETE FROM partner_names WHERE partner = $1", partner.id));
  for (const auto& name : partner.certificates) {
    THERIAC_ASSIGN(const auto key, work.vault.index(Domain::kPartner, "certificate:" + name));
    const auto done = work.session.run_all(
        "INSERT INTO partner_names(name, partner) VALUES($1, $2)", ByteView(key), partner.id);
    if (!done && done.error().code == Code::kConflict) {
      return fail(Code::kAlreadyExists, "certificates");
    }
    THERIAC_TRY(done);
  }
  return {};
}

}  // namespace

std::string_view name_of(LotState state) {
  switch (state) {
    case LotState::kOpen:
      return "open";
    case LotState::kReleased:
      return "released";
    case LotState::kBlocked:
      return "blocked";
  }
  return {};
}

std::optional<std::int64_t> Lot::expires_ms() const {
  if (expires.empty()) return std::nullopt;
  const auto end = codec::parse_rfc3339(expires + "T23:59:59.999Z");
  return end ? std::optional(*end) : std::nullopt;
}

Result<std::int64_t> add(Work& work, const Product& one, const Who& who) {
  THERIAC_TRY(check_levels(work, one));
  return insert(work, one, who);
}

Result<std::int64_t> add(Work& work, const Lot& one, const Who& who) {
  THERIAC_ASSIGN(const auto of, by_id<Product>(work, one.product));
  if (!of.active) return fail(Code::kConflict, "the product is not active");
  auto fresh = one;
  fresh.state = LotState::kOpen;
  fresh.recall = 0;
  return insert(work, std::move(fresh), who);
}

Result<std::int64_t> add(Work& work, const Partner& one, const Who& who) {
  THERIAC_ASSIGN(const auto id, insert(work, one, who));
  auto named = one;
  named.id = id;
  THERIAC_TRY(set_names(work, named));
  return id;
}

Result<std::int64_t> add(Work& work, const Place& one, const Who& who) {
  if (one.partner != 0) THERIAC_TRY(by_id<Partner>(work, one.partner));
  THERIAC_ASSIGN(const auto id, insert(work, one, who));
  THERIAC_TRY(set_lines(work, id, one.lines));
  return id;
}

Status change(Work& work, const Product& one, const Who& who) {
  THERIAC_TRY(check_levels(work, one));
  return change_row(work, one, who);
}
Status change(Work& work, const Lot& one, const Who& who) { return change_row(work, one, who); }
Status change(Work& work, const Partner& one, const Who& who) {
  THERIAC_TRY(change_row(work, one, who));
  return set_names(work, one);
}
Status change(Work& work, const Place& one, const Who& who) {
  if (one.partner != 0) THERIAC_TRY(by_id<Partner>(work, one.partner));
  THERIAC_TRY(change_row(work, one, who));
  return set_lines(work, one.id, one.lines);
}

Status set_state(Work& work, std::int64_t id, LotState state, const Who& who) {
  THERIAC_ASSIGN(const auto before, by_id<Lot>(work, id));
  if (before.state == state) return {};
  if (state == LotState::kOpen) return fail(Code::kConflict, "a lot is not opened again");
  if (state == LotState::kReleased) {
    if (before.recall != 0) return fail(Code::kConflict, "the lot is recalled");
    if (before.certificate.empty() || before.certificate_sha256.empty()) {
      return fail(Code::kConflict, "the lot has no release certificate");
    }
  }
  auto after = before;
  after.state = state;
  return update(work, after, before, who);
}

Status set_recall(Work& work, std::int64_t id, std::int64_t recall, const Who& who) {
  THERIAC_ASSIGN(const auto before, by_id<Lot>(work, id));
  if (before.recall != 0) return fail(Code::kConflict, "the lot is recalled");
  auto after = before;
  after.recall = recall;
  return update(work, after, before, who);
}

Result<std::optional<Product>> find_product(Work& work, std::string_view gtin) {
  return by_key<Product>(work, std::string(gtin));
}
Result<std::optional<Lot>> find_lot(Work& work, std::int64_t of, std::string_view number) {
  Lot one;
  one.product = of;
  one.number = number;
  return by_key<Lot>(work, Kind<Lot>::canonical(one));
}
Result<std::optional<Partner>> find_partner(Work& work, std::string_view gln) {
  return by_key<Partner>(work, std::string(gln));
}
Result<std::optional<Place>> find_place(Work& work, std::string_view gln,
                                        std::string_view extension) {
  Place one;
  one.gln = gln;
  one.extension = extension;
  return by_key<Place>(work, Kind<Place>::canonical(one));
}

namespace {

/// 0: of none.
Result<std::int64_t> partner_named(Work& work, const std::string& name) {
  if (work.known != nullptr) {
    if (const auto known = work.known->partner_of(name)) return *known;
  }
  THERIAC_ASSIGN(const auto key, work.vault.index(Domain::kPartner, "certificate:" + name));
  THERIAC_ASSIGN(
      auto rows,
      work.session.query_all("SELECT partner FROM partner_names WHERE name = $1", ByteView(key)));
  THERIAC_ASSIGN(const bool found, rows->next());
  const auto id = found ? rows->integer(0) : 0;
  if (work.known != nullptr) work.known->put_partner_of(name, id);
  return id;
}

}  // namespace

Result<std::optional<Partner>> partner_of_certificate(Work& work, std::string_view name) {
  THERIAC_ASSIGN(const auto id, partner_named(work, std::string(name)));
  if (id == 0) return std::nullopt;
  THERIAC_ASSIGN(auto found, by_id<Partner>(work, id));
  return found;
}

Result<Product> product(Work& work, std::int64_t id) { return by_id<Product>(work, id); }
Result<Lot> lot(Work& work, std::int64_t id) { return by_id<Lot>(work, id); }
Result<Partner> partner(Work& work, std::int64_t id) { return by_id<Partner>(work, id); }
Result<Place> place(Work& work, std::int64_t id) { return by_id<Place>(work, id); }

Result<std::vector<Product>> levels_of(Work& work, std::int64_t id) {
  std::vector<Product> all;
  while (id != 0 && all.size() < static_cast<std::size_t>(kNestingMax)) {
    THERIAC_ASSIGN(auto one, by_id<Product>(work, id));
    id = one.inner;
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::vector<Product>> products(Work& work, std::int64_t after, std::int64_t limit) {
  return page<Product>(work, after, limit);
}
Result<std::vector<Lot>> lots_of(Work& work, std::int64_t of, std::int64_t after,
                                 std::int64_t limit) {
  return all_rows<Lot>(
      work, work.session.query_all("SELECT id, sealed, product, state, recall FROM lots WHERE "
                                   "product = $1 AND id > $2 ORDER BY id LIMIT $3",
                                   of, after, std::clamp<std::int64_t>(limit, 1, kPageRowsMax)));
}
Result<std::vector<Partner>> partners(Work& work, std::int64_t after, std::int64_t limit) {
  return page<Partner>(work, after, limit);
}
Result<std::vector<Place>> places(Work& work, std::int64_t after, std::int64_t limit) {
  return page<Place>(work, after, limit);
}

}  // namespace theriac::trace
