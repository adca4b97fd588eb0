// Rows as values: fields as PostgreSQL 15 prints and sends them. What the fields are is not known
// here. Read: what PostgreSQL prints, nothing looser. Threading: values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace theriac::pgwire {

inline constexpr std::size_t kRecordFieldsMax = 1'664;
inline constexpr std::uint32_t kOidRecord = 2249;

struct RecordValue {
  struct Field {
    std::uint32_t type_oid = 0;  ///< known of binary rows only
    std::optional<Bytes> value;  ///< nullopt: NULL
  };
  std::vector<Field> fields;

  /// Code::kMalformed: not a row as it is printed.
  static Result<RecordValue> parse(ByteView text);
  /// Code::kMalformed: not a row as it is sent.
  static Result<RecordValue> from_binary(ByteView value);
  void append_text(Bytes& out) const;
  void append_binary(Bytes& out) const;
};

}  // namespace theriac::pgwire
