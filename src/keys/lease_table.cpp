#include "keys/lease_table.hpp"

#include <algorithm>

#include "codec/base64.hpp"
#include "codec/json.hpp"

namespace theriac::keys {
namespace {

constexpr std::array<std::string_view, 3> kStates{"live", "superseded", "released"};
constexpr std::size_t kTokenBytes = LeaseId::kSize + 8 + 32;
constexpr std::string_view kColumns =
    "SELECT id, holder, role, tenant, serial, classes, state, counter, request_hash, issued_ms, "
    "expires_ms, proven_ms FROM leases ";

std::string_view state_text(LeaseState state) {
  return kStates.at(static_cast<std::size_t>(state));
}

tl::unexpected<Error> bad_row() { return fail(Code::kNotAuthentic, "row of a lease"); }

Result<Lease> read_lease(const store::Statement& row) {
  Lease lease;
  THERIAC_ASSIGN(lease.id, LeaseId::from(row.bytes(0)));
  lease.holder = row.text(1);
  THERIAC_ASSIGN(lease.role, pki::parse_role(row.text(2)));
  THERIAC_ASSIGN(lease.tenant, TenantId::from(row.bytes(3)));
  lease.serial = row.text(4);
  auto classes = codec::parse_json(row.text(5));
  if (!classes || !classes->is_array()) return bad_row();
  for (const auto& name : *classes) {
    if (!name.is_string()) return bad_row();
    lease.classes.push_back(name.get<std::string>());
  }
  const auto state = std::find(kStates.begin(), kStates.end(), row.text(6));
  if (state == kStates.end()) return bad_row();
  lease.state = static_cast<LeaseState>(state - kStates.begin());
  lease.counter = static_cast<std::uint64_t>(row.integer(7));
  const auto hash = row.bytes(8);
  if (hash.size() != lease.request_hash.size()) return bad_row();
  std::copy(hash.begin(), hash.end(), lease.request_hash.begin());
  lease.issued_ms = row.integer(9);
  lease.expires_ms = row.integer(10);
  lease.proven_ms = row.integer(11);
  return lease;
}

Bytes token_body(const Token& token) {
  Bytes body;
  append(body, token.lease.view());
  append_be(body, token.counter);
  return body;
}

}  // namespace

std::string holder_name(std::string_view tenant, std::string_view name) {
  return std::string(tenant) + "/" + std::string(name);
}

bool Lease::covers(std::string_view class_name) const {
  return std::find(classes.begin(), classes.end(), class_name) != classes.end();
}

crypto::Digest TokenMaker::mac(const Token& token, std::string_view holder) {
  auto body = token_body(token);
  append(body, holder);
  return hmac_.mac(body);
}

std::string TokenMaker::make(const Token& token, std::string_view holder) {
  auto body = token_body(token);
  append(body, mac(token, holder));
  return codec::to_base64(body);
}

Result<Token> TokenMaker::read(std::string_view text, std::string_view holder) {
  const auto raw = codec::from_base64(text);
  if (!raw || raw->size() != kTokenBytes) return fail(Code::kDenied, "token");
  Token token;
  THERIAC_ASSIGN(token.lease, LeaseId::from(ByteView(*raw).first(LeaseId::kSize)));
  token.counter = load_be<std::uint64_t>(raw->data() + LeaseId::kSize);
  if (!equal_constant_time(mac(token, holder), ByteView(*raw).subspan(LeaseId::kSize + 8))) {
    return fail(Code::kDenied, "token");
  }
  return token;
}

Verdict judge(const Lease& lease, std::uint64_t counter, const crypto::Digest& request_hash) {
  if (lease.state == LeaseState::kSuperseded) return Verdict::kReplayed;
  if (lease.state == LeaseState::kReleased) return Verdict::kOver;
  if (counter > lease.counter) return Verdict::kRolledBack;
  if (counter == lease.counter) return Verdict::kRenew;
  if (counter + 1 == lease.counter && request_hash == lease.request_hash) return Verdict::kRepeat;
  return Verdict::kReplayed;
}

Result<std::vector<Lease>> LeaseTable::read_all(store::Statement& row) {
  std::vector<Lease> all;
  while (true) {
    THERIAC_ASSIGN(const bool more, row.step());
    if (!more) return all;
    THERIAC_ASSIGN(auto lease, read_lease(row));
    all.push_back(std::move(lease));
  }
}

Result<std::optional<Lease>> LeaseTable::find(const LeaseId& id) {
  THERIAC_ASSIGN(auto row, database_.prepare(std::string(kColumns) + "WHERE id = ?"));
  THERIAC_ASSIGN(auto found, read_all(row.bind_all(id.view())));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Lease>> LeaseTable::of_holder(std::string_view holder) {
  THERIAC_ASSIGN(auto row,
                 database_.prepare(std::string(kColumns) + "WHERE holder = ? ORDER BY issued_ms"));
  return read_all(row.bind_all(holder));
}

Result<std::vector<Lease>> LeaseTable::live(std::int64_t after_ms) {
  THERIAC_ASSIGN(
      auto row,
      database_.prepare(std::string(kColumns) +
                        "WHERE state = 'live' AND expires_ms > ? ORDER BY holder, issued_ms"));
  return read_all(row.bind_all(after_ms));
}

Status LeaseTable::add(const Lease& lease) {
  return database_.run("INSERT INTO leases VALUES(?,?,?,?,?,?,?,?,?,?,?,?)", lease.id.view(),
                       lease.holder, pki::role_name(lease.role), lease.tenant.view(), lease.serial,
                       codec::canonical_json(lease.classes), state_text(lease.state), lease.counter,
                       ByteView(lease.request_hash), lease.issued_ms, lease.expires_ms,
                       lease.proven_ms);
}

Status LeaseTable::update(const Lease& lease) {
  THERIAC_TRY(database_.run(
      "UPDATE leases SET serial=?, classes=?, state=?, counter=?, request_hash=?, issued_ms=?, "
      "expires_ms=?, proven_ms=? WHERE id=?",
      lease.serial, codec::canonical_json(lease.classes), state_text(lease.state), lease.counter,
      ByteView(lease.request_hash), lease.issued_ms, lease.expires_ms, lease.proven_ms,
      lease.id.view()));
  if (database_.changes() != 1) return fail(Code::kConflict, "lease");
  return {};
}

Status LeaseTable::forget_holder(std::string_view holder) {
  return database_.run("DELETE FROM leases WHERE holder = ?", holder);
}

Status LeaseTable::forget_ended(std::int64_t before_ms) {
  return database_.run(
      "DELETE FROM leases WHERE expires_ms < ? AND NOT (role IN ('gateway', 'server') AND state = "
      "'live')",
      before_ms);
}

Result<std::vector<LeaseTable::Fence>> LeaseTable::fences() {
  THERIAC_ASSIGN(auto row, database_.prepare("SELECT holder, since_ms FROM fences ORDER BY 1"));
  std::vector<Fence> all;
  while (true) {
    THERIAC_ASSIGN(const bool more, row.step());
    if (!more) return all;
    all.push_back({std::string(row.text(0)), row.integer(1)});
  }
}

Result<bool> LeaseTable::is_fenced(std::string_view holder) {
  THERIAC_ASSIGN(auto row, database_.prepare("SELECT 1 FROM fences WHERE holder = ?"));
  return row.bind_all(holder).step();
}

Status LeaseTable::fence(const Lease& lease, std::int64_t now_ms) {
  return database_.run("INSERT OR IGNORE INTO fences VALUES(?,?,?)", lease.holder, now_ms,
                       lease.id.view());
}

Status LeaseTable::clear_fence(std::string_view holder) {
  THERIAC_TRY(database_.run("DELETE FROM fences WHERE holder = ?", holder));
  if (database_.changes() != 1) return fail(Code::kNotFound, "fence");
  return {};
}

}  // namespace theriac::keys
