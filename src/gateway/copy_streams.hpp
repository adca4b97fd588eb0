// The data of COPY on their way through the gateway: rows of the client become rows for the server
// (values sealed), rows of the server become rows for the client (values opened and masked). What
// is not protected passes byte for byte. Bytes in, bytes out; the messages around them are
// enforce_copy.cpp's. One object serves one COPY on one thread; memory: one row.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/enforce_rows.hpp"
#include "gateway/enforce_slots.hpp"
#include "pgwire/copy_encoding.hpp"
#include "pgwire/copy_reader.hpp"

namespace theriac::gateway {

/// COPY FROM STDIN into a protected table.
class CopySealer {
 public:
  /// `statement.copy` is set. The catalogue and ciphers must outlive the object.
  static Refusable<std::unique_ptr<CopySealer>> make(
      std::shared_ptr<const rewrite::Statement> statement,
      std::shared_ptr<const rewrite::Catalogue> catalogue, const pgwire::TextSettings& settings,
      Ciphers& ciphers, Random& random);

  /// Fields of a row for the server, and for the client.
  [[nodiscard]] std::size_t server_columns() const { return server_columns_; }
  [[nodiscard]] std::size_t client_columns() const { return plan().columns.size(); }
  [[nodiscard]] bool is_binary() const { return options().format == pgwire::CopyFormat::kBinary; }

  /// Appends rows for the server. After a refusal, whose report names the line, nothing may be fed
  /// any more; `out` then ends with the row that was refused, cut before the column in which it
  /// was: the server complains of the cut (kCopySqlstate) unless it finds an error before it.
  Refusable<void> feed(ByteView bytes, Bytes& out);
  Refusable<void> finish(Bytes& out);
  [[nodiscard]] std::uint64_t sealed() const { return sealed_; }

 private:
  struct Target {
    ColumnRef column;
    std::size_t place = 0;  ///< among the client's columns
    bool force_not_null = false, force_null = false;
    std::optional<std::string> fixed;  ///< a default instead: stored form
    std::vector<int> indexes;          ///< ordinals of its blind indexes
  };

  CopySealer(std::shared_ptr<const rewrite::Statement> statement,
             std::shared_ptr<const rewrite::Catalogue> catalogue, pgwire::TextSettings settings,
             Ciphers& ciphers, Random& random);
  [[nodiscard]] const rewrite::CopyPlan& plan() const { return *statement_->copy; }
  [[nodiscard]] const pgwire::CopyOptions& options() const { return plan().options; }
  Refusable<void> prepare();
  Refusable<void> rows(Bytes& out);
  Refusable<void> header(Bytes& out);
  Refusable<void> check_header();
  Refusable<void> check_header(const std::vector<pgwire::CopyField>& fields);
  Refusable<void> check_no_header();
  Refusable<void> row(Bytes& out);
  Refusable<void> protect(const Target& target, const std::optional<RowId>& row, bool first,
                          Bytes& out);
  Refusable<bool> value_of(const Target& target, std::string& stored);
  bool pass_fields(std::size_t place, Bytes& out) const;
  void cut_row(std::size_t place, std::size_t before, Bytes& out) const;
  void separate(bool first, Bytes& out) const;
  [[nodiscard]] pgwire::ErrorReport report(const Error& error, const ColumnRef* column) const;
  [[nodiscard]] pgwire::ErrorReport bad_data(std::string what) const;

  std::shared_ptr<const rewrite::Statement> statement_;
  std::shared_ptr<const rewrite::Catalogue> catalogue_;
  pgwire::TextSettings settings_;
  Ciphers& ciphers_;
  Random& random_;
  const rewrite::Relation* relation_ = nullptr;
  std::vector<std::size_t> passed_;  ///< places of the columns that pass
  std::vector<Target> targets_;
  std::size_t server_columns_ = 0;
  std::optional<pgwire::CopyTranscoder> transcoder_;
  pgwire::CopyReader reader_;
  Bytes converted_, value_, sealed_value_;
  std::string stored_;
  std::uint64_t sealed_ = 0;
  bool header_seen_ = false;
};

/// COPY TO STDOUT of protected values.
class CopyOpener {
 public:
  static Refusable<std::unique_ptr<CopyOpener>> make(
      std::shared_ptr<const rewrite::Statement> statement, std::shared_ptr<RowMap> rows,
      const pgwire::TextSettings& settings, Ciphers& ciphers);

  /// What the server's CopyOutResponse says. Code::kUnsupported if it does not fit the plan.
  Status begin(const pgwire::CopyResponse& response);
  /// Appends rows for the client. After an error `out` may hold a part of a row.
  Status feed(ByteView bytes, Bytes& out);
  Status finish(Bytes& out);
  [[nodiscard]] std::uint64_t opened() const { return opened_; }
  /// What comes out.
  [[nodiscard]] const RowMap& map() const { return *map_; }

 private:
  CopyOpener(std::shared_ptr<const rewrite::Statement> statement, std::shared_ptr<RowMap> rows,
             pgwire::TextSettings settings, Ciphers& ciphers);
  [[nodiscard]] const rewrite::CopyPlan& plan() const { return *statement_->copy; }
  Status rows(Bytes& out);
  Status row(Bytes& out);
  Status field(const pgwire::CopyField& field, const OutputRule& rule, Bytes& out);

  std::shared_ptr<const rewrite::Statement> statement_;
  std::shared_ptr<RowMap> map_;
  pgwire::TextSettings settings_;
  Ciphers& ciphers_;
  std::optional<pgwire::CopyTranscoder> transcoder_;
  std::optional<pgwire::CopyReader> reader_;
  std::vector<const OutputRule*> by_position_;
  Bytes plain_, value_, shown_;
  std::uint64_t opened_ = 0;
};

}  // namespace theriac::gateway
