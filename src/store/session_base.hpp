// What both engines' sessions have in common: the shape of batches, texts both can hold, a failed
// transaction that takes no more statements, rows that are dropped before the next call. Internal.
//
// Threading: as Session.
#pragma once

#include "store/engine.hpp"

namespace theriac::store {

class SessionBase : public Session {
 public:
  Result<std::unique_ptr<Rows>> query(std::string_view sql, std::span<const Param> params) final;
  Result<std::int64_t> run(std::string_view sql, std::span<const Param> params) final;
  Result<std::int64_t> insert(std::string_view table, std::span<const std::string_view> columns,
                              std::span<const Param> values, std::string_view tail) final;
  Result<std::unique_ptr<Rows>> look_up(std::string_view table, std::string_view key,
                                        std::span<const std::string_view> columns,
                                        std::span<const Param> keys) final;
  Result<std::int64_t> update(std::string_view table, std::string_view key,
                              std::span<const std::string_view> columns,
                              std::span<const Param> values) final;

  /// Rows hold one of these: while it lives, the session takes no call.
  class Reading {
   public:
    explicit Reading(SessionBase& session) : session_(session) { session_.reading_ = true; }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() { session_.reading_ = false; }
    /// A failure of next() fails the transaction like any other.
    Error failed(Error error) { return session_.noted(std::move(error)); }

   private:
    SessionBase& session_;
  };

 protected:
  enum class State { kIdle, kSnapshot, kTransaction };

  Status begin(Access access) final;
  Status commit() final;
  void roll_back() final;
  [[nodiscard]] State state() const { return state_; }

  // The engine's part. Names are names, batches are whole rows and not empty, values are within
  // limits.
  virtual Result<std::unique_ptr<Rows>> do_query(std::string_view sql,
                                                 std::span<const Param> params) = 0;
  virtual Result<std::int64_t> do_run(std::string_view sql, std::span<const Param> params) = 0;
  virtual Result<std::int64_t> do_insert(std::string_view table,
                                         std::span<const std::string_view> columns,
                                         std::span<const Param> values, std::string_view tail) = 0;
  virtual Result<std::unique_ptr<Rows>> do_look_up(std::string_view table, std::string_view key,
                                                   std::span<const std::string_view> columns,
                                                   std::span<const Param> keys) = 0;
  virtual Result<std::int64_t> do_update(std::string_view table, std::string_view key,
                                         std::span<const std::string_view> columns,
                                         std::span<const Param> values) = 0;
  virtual Status do_begin(Access access) = 0;
  /// On failure everything was rolled back, or is unknown.
  virtual Status do_commit() = 0;
  virtual void do_roll_back() = 0;

 private:
  [[nodiscard]] Status ready() const;
  Error noted(Error error);
  template <typename T>
  Result<T> noted(Result<T> result);

  State state_ = State::kIdle;
  bool failed_ = false;   // a call in this transaction has failed
  bool reading_ = false;  // rows are open
};

/// No rows: the answer to a batch of nothing.
std::unique_ptr<Rows> no_rows();

}  // namespace theriac::store
