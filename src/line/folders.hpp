// The folders through which a line speaks: in (requests and reports), out (answers), done
// (receipts) and refused (what was refused, sealed to the line's certificate, with its reason).
//
// Taken are plain files of `in` that did not change for a while, in the order of their names. Names
// that begin with a dot or end with .tmp or .part are not looked at: who writes slowly writes under
// such a name and renames.
//
// Errors: Code::kDiskFull, kIo, kNotFound; nothing is then half done. Threading: one thread, but
// for refuse_call().
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/bytes.hpp"
#include "line/reasons.hpp"

namespace theriac::line {

class Folders {
 public:
  /// Makes what is missing, for the owner alone; existing folders keep their rights.
  static Result<Folders> make(const std::string& root);

  /// Names in `in`, in order, up to the first that may still be written to.
  Result<std::vector<std::string>> arrived(std::int64_t monotonic_ms, std::int64_t settle_ms);
  /// The bytes of a file in `in`, or why it cannot be one.
  Result<tl::expected<Bytes, Fault>> read(const std::string& name) const;

  /// An answer is written beside its place first and takes it with a rename.
  [[nodiscard]] bool answer_lies(const std::string& name) const;
  Status write_part(const std::string& name, std::string_view text) const;
  /// Nothing when the part is gone: then it was renamed before.
  Status publish(const std::string& name) const;
  Status remove_answer(const std::string& name) const;

  /// The receipt, then the file of `in` goes.
  Status finish(const std::string& name, std::string_view mark, std::string_view receipt) const;
  /// `sealed` and the reason, then the file of `in` goes.
  Status refuse(const std::string& name, std::string_view mark, ByteView sealed,
                std::string_view reason) const;
  /// What cannot be read is moved as it is.
  Status refuse_unread(const std::string& name, std::string_view reason) const;
  /// What the server refused of a report.
  Status refuse_call(const std::string& name, std::int64_t seq, ByteView sealed,
                     std::string_view reason) const;

 private:
  explicit Folders(std::string root) : root_(std::move(root)) {}
  [[nodiscard]] std::string in(std::string_view name) const;
  [[nodiscard]] std::string out(std::string_view name) const;
  [[nodiscard]] std::string refused(std::string_view name) const;
  [[nodiscard]] std::string part(std::string_view name) const;

  struct Seen {
    std::uint64_t inode = 0, size = 0;
    std::int64_t changed_ns = 0, since_ms = 0;
  };
  std::string root_;
  std::map<std::string, Seen> seen_;
};

/// Letters, digits, dot, hyphen and underscore, not in front a dot; kFileNameBytesMax.
bool is_plain_name(std::string_view name);

}  // namespace theriac::line
