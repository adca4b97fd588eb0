// What all tables of track & trace have in common: numbers for new rows, sealed rows, and the
// history of a row.
//
// Threading: as the session and the vault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "store/engine.hpp"
#include "trace/vault.hpp"

namespace theriac::trace {

/// What a packaging line's certificate is bound to (lines.hpp).
struct BoundLine {
  seal::IndexToken name{};           ///< the blind index of the certificate's name
  std::vector<std::int64_t> places;  ///< that name it
};

/// Who does something, and why. Names are of certificates until people sign in.
struct Who {
  std::string person;        ///< the certificate's name
  std::string station;       ///< where the request came from, or empty
  std::int64_t partner = 0;  ///< 0: our own people
  std::string reason;
  std::optional<BoundLine> line = std::nullopt;  ///< of a line's certificate
};

class Known;

/// A session inside a transaction, the keys, and the time of the act: what every change needs.
struct Work {
  store::Session& session;
  Vault& vault;
  std::int64_t now_ms;
  Known* known = nullptr;  ///< begun for this transaction (known.hpp), or none
};

/// The first of `count` numbers that no row of `table` has had.
Result<std::int64_t> next_ids(Work& work, std::string_view table, std::int64_t count = 1);

/// Seals `value` for a row.
Result<Bytes> seal_json(Vault& vault, Record record, const RowId& row, const codec::Json& value);
Result<codec::Json> open_json(Vault& vault, Record record, const RowId& row, ByteView sealed);

/// A change of a row of master data: what it was before (null: it is new), who and why.
struct ChangeNote {
  std::int64_t when_ms = 0;
  Who who;
  codec::Json before;
};
Status note_change(Work& work, Record record, std::int64_t row, const Who& who,
                   const codec::Json& before);
/// Oldest first.
Result<std::vector<ChangeNote>> changes_of(Work& work, Record record, std::int64_t row);

}  // namespace theriac::trace
