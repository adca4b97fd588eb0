// Two connections that are asked the same: one to plain tables, one through the gateway to the same
// tables protected. Used by tests only. One object serves one thread.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace theriac::adversary {

/// One thing to send.
struct Step {
  enum class How : std::uint8_t {
    kQuery,     ///< simple protocol; `sql` may be several statements
    kParams,    ///< unnamed statement
    kPrepare,   ///< under `name`
    kDescribe,  ///< of `name`
    kExecute    ///< `name`, with `values`
  };
  How how = How::kQuery;
  std::string sql, name = {};
  std::vector<std::optional<std::string>> values = {};
  std::vector<Oid> types = {};
  bool binary = false;
  std::string copy_data = {};  ///< what COPY FROM STDIN is sent
  /// Any order is right; else rows must come in the same order.
  bool ordered = false;
};

enum class Verdict : std::uint8_t {
  kEqual,
  kFailed,       ///< the same error on both sides
  kOtherErrors,  ///< an error on both sides, of which each may be the first to be met
  kRefused,      ///< 0A000 through the gateway
  kDifferent
};

class TwinSession {
 public:
  TwinSession(std::string plain, std::string sealed)
      : plain_info_(std::move(plain)), sealed_info_(std::move(sealed)) {}
  TwinSession(const TwinSession&) = delete;
  TwinSession& operator=(const TwinSession&) = delete;
  ~TwinSession() { disconnect(); }

  /// Anew if it was connected. False: `story()` says why.
  bool connect();
  /// `context` goes into the story.
  Verdict ask(const Step& step, const std::string& context = {});
  /// Without waiting between them; the answers as by ask(), up to the first that is not kEqual.
  Verdict ask_pipelined(const std::vector<Step>& steps);
  /// Both sides to no transaction.
  bool roll_back();
  [[nodiscard]] bool alive() const;
  /// What differed, for a person.
  [[nodiscard]] const std::string& story() const { return story_; }
  [[nodiscard]] std::uint64_t asked() const { return asked_; }
  /// "INSERT 0 1" and the like of the last equal answer, on the plain side.
  [[nodiscard]] const std::string& last_tag() const { return last_tag_; }
  /// Parameter types that the last kDescribe was told of.
  [[nodiscard]] const std::vector<Oid>& described() const { return described_; }

 private:
  struct Shown {
    std::string picture, sqlstate, message, tag;
    std::vector<Oid> parameter_types;
  };
  void disconnect();
  bool send(PGconn* connection, const Step& step);
  std::vector<Shown> collect(PGconn* connection, const Step& step);
  std::vector<Shown> collect_pipelined(PGconn* connection, const std::vector<Step>& steps);
  Shown show(PGresult* result, const Step& step);
  Verdict compare(const std::vector<Shown>& plain, const std::vector<Shown>& sealed,
                  const std::string& what);
  Verdict broken(const std::string& what);

  std::string plain_info_, sealed_info_, story_, last_tag_;
  PGconn* plain_ = nullptr;
  PGconn* sealed_ = nullptr;
  std::vector<Oid> described_;
  std::uint64_t asked_ = 0;
};

}  // namespace theriac::adversary
