// One client session in enforce mode (gateway.md): rewrites what touches protected columns,
// forwards the rest byte for byte, refuses what cannot be kept safe, and keeps order and
// transaction state true on both sides.
//
// How it works: client messages are taken one at a time. Each becomes zero or more server messages
// and, for each of those, an Expect in `expects_` that says how its responses are treated. A
// message that has to wait (for settings, for a grant to be durable, for located rows) stays in
// `client_in_` unconsumed, or leaves a continuation, and no later message overtakes it. A refusal
// is a Parse (or Query) that always fails, sent in the place of the refused message; the server's
// error for it is replaced by ours.
//
// enforce_client.cpp: client messages. enforce_query.cpp: simple Query. enforce_server.cpp: server
// messages. enforce_copy.cpp: COPY. enforce_grants.cpp: policy decisions, grants and audit.
// enforce_ddl.cpp: DDL. enforce_reading.cpp: client_encoding.
// enforce_prepare.cpp: PREPARE, EXECUTE, DEALLOCATE.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/copy_streams.hpp"
#include "gateway/enforce_gather.hpp"
#include "gateway/enforce_ruling.hpp"
#include "gateway/enforce_service.hpp"
#include "gateway/enforce_slots.hpp"
#include "gateway/session.hpp"
#include "pgwire/encoding.hpp"
#include "protect/catalogue_loader.hpp"
#include "protect/view_making.hpp"

namespace theriac::gateway {

/// Limits of one session.
inline constexpr std::size_t kPreparedMax = 10'000;
inline constexpr std::size_t kExpectsMax = 100'000;
/// What a client may send ahead of answers that are waited for, before it is held. One message may
/// be longer.
inline constexpr std::size_t kHeldBytesMax = 64U << 20U;
inline constexpr std::size_t kLocatedRowsMax = 100'000;
/// How long one session grant lasts at most: one lease.
inline constexpr std::int64_t kGrantMs = 60'000;

class EnforceSession final : public Session {
 public:
  /// `database` may still be loading: the client then waits at the end of its sign-in.
  EnforceSession(EnforceService& service, std::shared_ptr<Database> database,
                 std::shared_ptr<Ciphers> ciphers, std::string user, Waker waker);

  void from_client(ByteView bytes, Io& io) override;
  void from_server(ByteView bytes, Io& io) override;
  void client_closed(Io& io) override;
  void server_closed(Io& io) override;
  [[nodiscard]] bool holds_client() const override;
  void resume(Io& io) override;
  void tick(Io& io) override { static_cast<void>(io); }

 private:
  enum class Phase : std::uint8_t { kSignIn, kSettling, kReady, kEnded };

  /// Values in the place of a Bind's parameters: EXECUTE's arguments.
  struct Bound {
    Bytes body;  ///< what `bind` borrows from
    pgwire::Bind bind;
    Bound() = default;
    Bound(const Bound&) = delete;
    Bound& operator=(const Bound&) = delete;
    ~Bound() { wipe(body); }
  };
  /// A prepared statement as the client knows it, by Parse or by PREPARE.
  struct Prepared {
    std::string sql;
    std::vector<std::uint32_t> declared;
    std::shared_ptr<const rewrite::Plan> plan;
    std::shared_ptr<const rewrite::TextLiterals> literals;  ///< as in Planned
    std::shared_ptr<const rewrite::Catalogue> catalogue;
    std::string search_path;                      ///< joined; a change makes the plan stale
    std::shared_ptr<std::atomic<bool>> verified;  ///< as in Planned
    std::vector<std::uint32_t> server_types;
    std::vector<std::uint32_t> gather_types;
    std::vector<std::uint32_t> client_types;  ///< of its parameters, as the client is told
    bool described = false;                   ///< client_types are known
    bool types_unknown = false;               ///< a PREPARE that went as it came declared some
    std::shared_ptr<const Bound> arguments;   ///< a Parse of EXECUTE: it takes no parameters
    std::string gather_name;
    [[nodiscard]] const rewrite::Statement& statement() const { return plan->statements.front(); }
    [[nodiscard]] SharedStatement shared_statement() const { return {plan, &statement()}; }
    [[nodiscard]] bool touched() const {
      return !plan->statements.empty() &&
             plan->statements.front().action != rewrite::Action::kForward;
    }
  };
  /// What the server is sent for a rewritten statement.
  static std::string sent_text(const rewrite::Statement& statement, const Prepared& prepared) {
    // What stands for a PREPARE until it is executed, and then is not sent.
    if (statement.action == rewrite::Action::kPrepare) return "DEALLOCATE theriac_nothing";
    return rewrite::text_with(statement.sql, statement.holes, prepared.literals.get());
  }
  /// What a cursor's name meant before a statement declares or closes it, which may fail.
  struct CursorChange {
    std::string name;
    std::shared_ptr<RowMap> before;
  };
  struct Portal {
    std::optional<CursorChange> cursor;  ///< until it was executed
    std::shared_ptr<Prepared> prepared;
    std::vector<std::int16_t> result_formats;  ///< as the client asked
    std::vector<std::int16_t> server_formats;  ///< as the server was asked
    std::shared_ptr<RowMap> rows;              ///< null: rows pass untouched
    SharedStatement statement;
    std::shared_ptr<CopyOpener> copy_out;  ///< COPY TO STDOUT; shared as the portal's copies are
    std::uint64_t sealed = 0;
  };
  /// A COPY FROM STDIN, from when the server is told of it until it has answered.
  struct CopyIn {
    enum class Phase : std::uint8_t {
      kAsked,  ///< the server has not asked for data yet
      kData,   ///< the client's messages are data
      kEnded,  ///< CopyDone or CopyFail went to the server
    };
    Phase phase = Phase::kAsked;
    bool query = false;  ///< part of a Query that went as it came: more COPYs may follow
    std::unique_ptr<CopySealer> sealer;          ///< null: the data pass
    std::optional<pgwire::ErrorReport> failure;  ///< why we gave it up
  };
  struct Expect {
    enum class Kind : std::uint8_t {
      kParse,
      kBind,
      kDescribeStatement,
      kDescribePortal,
      kExecute,
      kClose,
      kSync,
      kQuery,
      kFunction
    };
    Kind kind;
    bool own = false;     ///< swallow its successful responses
    bool simple = false;  ///< part of a Query run as an extended batch
    std::shared_ptr<Prepared> prepared;
    std::shared_ptr<Portal> portal;
    std::optional<pgwire::ErrorReport> refusal;
    std::string name;                    ///< kParse, kClose: statement name, for undoing
    std::shared_ptr<Prepared> previous;  ///< what the name meant before; kQuery: the unnamed one
    bool collect = false;                ///< rows are for us, see collected_
    bool locating = false;               ///< kDescribeStatement of a Gather's sql
    rewrite::Effect effect = rewrite::Effect::kNone;
    bool rewritten = false;
    bool abort_after = false;  ///< kQuery of our own that makes the server's transaction fail
    bool quiet = false;        ///< its error is not the client's
    bool hold = false;         ///< its completion is shown once the statement is settled
    bool schema = false;       ///< kQuery with DDL somewhere in it
    std::vector<CursorChange> cursors{};  ///< kQuery
    std::uint64_t opened = 0;
    std::string sent, text;  ///< kParse: of a rewritten statement, and what the client wrote
    std::string says;        ///< kDescribeStatement: a tag that completes the client's statement
    /// What names meant before this message; null: nothing.
    std::vector<std::pair<std::string, std::shared_ptr<Prepared>>> undo;
  };
  using Expecting = Expect::Kind;

  // --- client side (enforce_client.cpp) ---
  void pump(Io& io);
  /// False: the message must wait; nothing was done.
  bool take(const pgwire::Frame& frame, Io& io);
  bool take_parse(const pgwire::Frame& frame, Io& io);
  bool take_bind(const pgwire::Frame& frame, Io& io);
  bool take_describe(const pgwire::Frame& frame, Io& io);
  bool take_execute(const pgwire::Frame& frame, Io& io);
  bool take_close(const pgwire::Frame& frame, Io& io);
  void send_prepared(const std::string& name, const std::shared_ptr<Prepared>& prepared, bool own,
                     Io& io, std::string_view says = {});
  [[nodiscard]] bool is_current(const Prepared& prepared) const;
  bool refresh_plan(const std::string& name, std::shared_ptr<Prepared>& prepared, Io& io);
  void send_bind(std::string_view portal_name, std::string_view statement_name,
                 const std::shared_ptr<Portal>& portal, const Filled& filled, bool own, Io& io);
  void gather(const std::shared_ptr<Prepared>& prepared, const pgwire::Bind& bind,
              const std::string& portal_name, const std::string& statement_name,
              const std::shared_ptr<Portal>& portal, Io& io);
  void expect(Expect entry);
  void fatal(const pgwire::ErrorReport& report, Io& io);
  /// Takes the place of an extended message.
  void refuse_extended(pgwire::ErrorReport report, Io& io);
  /// The same for a Parse.
  void refuse_parse(std::string_view name, pgwire::ErrorReport report, Io& io);

  // --- encoding (enforce_reading.cpp) ---
  /// The message with its texts in UTF-8, and SQL as it reads with standard_conforming_strings on;
  /// its bytes are the session's until the next one.
  Refusable<pgwire::Frame> in_utf8(const pgwire::Frame& frame);
  bool take_message(const pgwire::Frame& frame, Io& io);
  /// False: how a message of this kind reads is not known yet; wait.
  bool reading_known(char tag, Io& io);
  /// The statement is on its way to the server.
  void note_reading(const rewrite::Statement& statement);
  void note_taken(char tag);
  /// Code::kUnsupported: not one that is converted exactly.
  Status set_encoding(std::string_view name);
  [[nodiscard]] std::string_view encoding_name() const;
  /// Every rewritten text can be written in the client's encoding.
  [[nodiscard]] Refusable<void> can_be_sent(const Planned& planned) const;
  std::string encoded(std::string_view text, Io& io);
  void put_parse(std::string_view name, std::string_view sql,
                 const std::vector<std::uint32_t>& types, Io& io);
  void put_describe(const pgwire::Target& target, Io& io);
  void put_close(const pgwire::Target& target, Io& io);
  void put_bind(pgwire::Bind bind, Io& io);
  /// For the client's eyes: a character it cannot have is a question mark.
  [[nodiscard]] std::string shown(std::string_view text) const;
  void tell(const pgwire::ErrorReport& report, Io& io);
  /// The server's error or notice, scrubbed.
  void tell_scrubbed(const pgwire::Frame& frame, bool rewritten, Io& io,
                     std::optional<std::size_t> position = std::nullopt);
  /// A text of collected_ in UTF-8.
  [[nodiscard]] Result<std::string> collected_text(ByteView value) const;

  // --- simple Query (enforce_query.cpp) ---
  bool take_query(const pgwire::Frame& frame, Io& io);
  void run_batch(Io& io);
  bool run_statement(const rewrite::Statement& statement, Io& io);
  /// The portal's statement, which the server knows by that name, with these values. False:
  /// refused.
  bool run_bound(const std::shared_ptr<Portal>& portal, const std::shared_ptr<const Bound>& bound,
                 const std::string& name, Io& io);
  void bind_statement(const std::shared_ptr<Prepared>& prepared,
                      const std::shared_ptr<Portal>& portal, const Filled& filled, Io& io,
                      std::string_view name = {});
  /// The parameters of a Gather's second step, from the rows collected by its first.
  Refusable<Filled> fill_gathered(const rewrite::Statement& statement,
                                  const rewrite::Catalogue& catalogue, const ClientValues& values);
  /// Parameter types of a statement's server form.
  static std::vector<std::uint32_t> server_types(const std::vector<rewrite::Slot>& slots,
                                                 const std::vector<std::uint32_t>& declared);
  static std::vector<std::uint32_t> server_types(const rewrite::Statement& statement,
                                                 const std::vector<std::uint32_t>& declared);
  void refuse_query(pgwire::ErrorReport report, Io& io);
  /// `bound`: with run_bound(), else null.
  void gather_in_batch(const std::shared_ptr<Prepared>& prepared,
                       const std::shared_ptr<Portal>& portal,
                       const std::shared_ptr<const Bound>& bound, const std::string& name, Io& io);

  // --- PREPARE and EXECUTE (enforce_prepare.cpp) ---
  /// The statement's names are the session's to look after.
  [[nodiscard]] bool uses_names(const rewrite::Statement& statement) const;
  /// Of EXECUTE, that of what it executes.
  [[nodiscard]] rewrite::Effect effect_of(const rewrite::Statement& statement) const;
  /// What a forwarded statement does to the names; `entry` is its Expect and can undo it.
  void note_names(const rewrite::Statement& statement,
                  const std::shared_ptr<const rewrite::Catalogue>& catalogue, Expect& entry);
  void forget_names(const rewrite::PreparedUse& use, Expect& entry);
  void remember_name(const rewrite::PreparedUse& use,
                     const std::shared_ptr<const rewrite::Catalogue>& catalogue, Expect& entry);
  void undo_names(const Expect& entry);
  std::shared_ptr<Prepared> make_prepared(
      std::string_view sql, const Planned& planned,
      const std::shared_ptr<const rewrite::Catalogue>& catalogue) const;
  /// A PREPARE whose query is rewritten. `done`: whether it failed before it was sent.
  void prepare_name(const rewrite::PreparedUse& use, std::function<void(bool failed, Io&)> done,
                    Io& io);
  Refusable<std::vector<std::size_t>> check_arguments(const rewrite::PreparedUse& use,
                                                      const Prepared& prepared);
  std::shared_ptr<Bound> bind_arguments(
      const rewrite::PreparedUse& use, std::size_t count,
      const std::map<std::size_t, std::optional<Bytes>>& evaluated, Io& io);
  void evaluate(const rewrite::PreparedUse& use, const Prepared& prepared,
                const std::vector<std::size_t>& which, std::function<void(bool failed, Io&)> then,
                Io& io);
  bool execute_in_batch(const rewrite::PreparedUse& use, Io& io);
  bool parse_execute(const pgwire::Parse& parse, const rewrite::PreparedUse& use, Io& io);

  // --- COPY (enforce_copy.cpp) ---
  /// The server's text of a COPY, with its slots written into it.
  static Refusable<std::string> copy_sql(const rewrite::Statement& statement, const Filled& filled);
  /// The same with NULL for each slot: for a Parse, which says nothing of values.
  static std::string copy_sql_without_values(const rewrite::Statement& statement);
  Refusable<void> begin_copy_out(Portal& portal,
                                 const std::shared_ptr<const rewrite::Catalogue>& catalogue,
                                 const Filled& filled);
  /// Before the message that makes the server ask for data is sent.
  Refusable<void> begin_copy_in(const std::shared_ptr<Portal>& portal,
                                const std::shared_ptr<const rewrite::Catalogue>& catalogue);
  /// Bind of a COPY: its text with fresh literals, then the portal.
  void bind_copy(const std::string& statement_name, const std::string& portal_name,
                 const std::shared_ptr<Portal>& portal, const Filled& filled, Io& io);
  [[nodiscard]] bool copy_holds_client() const;
  /// Each returns how many bytes were consumed.
  std::size_t take_copy_body(ByteView bytes, Io& io);
  std::size_t take_copy_message(ByteView bytes, Io& io);
  void copy_data(ByteView bytes, Io& io);
  void end_copy_data(ByteView frame, Io& io);
  void fail_copy_data(ByteView frame, Io& io);
  void give_up_copy(pgwire::ErrorReport report, Io& io);
  void on_copy_in(const pgwire::Frame& frame, Io& io);
  void on_copy_out(const pgwire::Frame& frame, Io& io);
  void copy_in_done(Portal* portal);
  void copy_in_failed();
  /// Our report, if the server's error is its answer to our CopyFail.
  [[nodiscard]] const pgwire::ErrorReport* copy_failure(const pgwire::Frame& frame) const;

  // --- what a statement needs before it may run (enforce_grants.cpp) ---
  Refusable<Planned> plan_of(std::string_view sql,
                             const std::shared_ptr<const rewrite::Catalogue>& catalogue);
  void ask_settings(Io& io);
  /// The same of a statement that was allowed before, as a part of another, or as it was.
  Refusable<Planned> plan_known(std::string_view sql,
                                const std::shared_ptr<const rewrite::Catalogue>& catalogue);
  /// The settings that `sql` is planned with are those it will run with. False: wait.
  bool settings_fresh(std::string_view sql, const rewrite::Catalogue& catalogue, Io& io);
  /// Waits until the server has answered all that was sent. Always false.
  bool wait_for_answers(Io& io);
  /// Why the statement at hand cannot be planned, once: a failed look at the catalogue, or settings
  /// that cannot be asked for.
  std::optional<pgwire::ErrorReport> planning_failure();
  enum class Leave : std::uint8_t {
    kGo,
    kWait,
    kRefused,
    kStop,  ///< refused, and the client has been told
  };
  /// EXECUTE: what it executes is planned as things are now, and may run.
  Leave ready_to_execute(const rewrite::PreparedUse& use, pgwire::ErrorReport& report, Io& io);
  Leave may_run(const SharedStatement& statement, const rewrite::Catalogue& catalogue,
                pgwire::ErrorReport& report);
  Ruling& ruling(const SharedStatement& statement, const rewrite::Catalogue& catalogue) {
    return rulings_.of(statement, catalogue, role_, service_.policy());
  }
  /// How the statement's result is shown; `filled`: the values of an execution, null for none.
  Refusable<std::shared_ptr<RowMap>> rows_of(
      const SharedStatement& statement, const std::shared_ptr<const rewrite::Catalogue>& catalogue,
      const Filled* filled);
  /// FETCH of a cursor that was declared on protected columns, with the cursor's rows.
  std::shared_ptr<RowMap> cursor_rows(const rewrite::Statement& statement) const;
  std::optional<CursorChange> remember_cursor(const rewrite::Statement& statement,
                                              std::shared_ptr<RowMap> rows);
  void undo_cursor(const CursorChange& change);
  /// Cursors end with their transaction, but those WITH HOLD.
  void forget_cursors();
  void count_statement(const Portal& portal, std::uint64_t opened, Io& io);
  void deny(const std::string& what, const pgwire::ErrorReport& report);
  void close_grants();

  // --- server side (enforce_server.cpp) ---
  void on_server(const pgwire::Frame& frame, Io& io);
  void on_sign_in(const pgwire::Frame& frame, Io& io);
  /// Once the settings are known: lets the client in when its database is loaded.
  void finish_sign_in(Io& io);
  void on_error(const pgwire::Frame& frame, Io& io);
  /// Where the client's text has the error of a rewritten one.
  static std::optional<std::size_t> client_position(const pgwire::Frame& frame,
                                                    const Expect& entry);
  void on_ready(const pgwire::Frame& frame, Io& io);
  void on_row(const pgwire::Frame& frame, Io& io);
  void on_fields(const pgwire::Frame& frame, Io& io);
  /// The server's description of a statement agrees with its plan, or it gives no rows.
  static void note_verified(const Expect& entry);
  /// The answer to a Describe has been looked at.
  void described(const Expect& entry, Io& io);
  void on_done(const pgwire::Frame& frame, Io& io);
  void on_parameter_status(const pgwire::Frame& frame, Io& io);
  void on_parameter_types(const pgwire::Frame& frame, Io& io);
  void pop_simple_response(const pgwire::Frame& frame, Expecting kind, Io& io);
  /// A value did not open after rows began: an error in the place of the rest.
  void poison(const pgwire::ErrorReport& report, Io& io);
  void drop_until_sync(Io& io);
  void undo_parse(const Expect& entry);
  void finish_collected(bool failed, Io& io);
  void after_settings(bool failed, Io& io);
  /// In hexadecimal digits, so that the names pass through every client_encoding.
  static constexpr std::string_view kAskSettings =
      "SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_array("
      "pg_catalog.current_schemas(true), current_user, "
      "pg_catalog.current_setting('client_encoding'), "
      "pg_catalog.current_setting('standard_conforming_strings'), "
      "pg_catalog.current_setting('bytea_output'), "
      "pg_catalog.current_setting('extra_float_digits'), pg_catalog.current_setting('DateStyle'), "
      "pg_catalog.current_setting('TimeZone'), "
      "pg_catalog.current_setting('IntervalStyle'))::pg_catalog.text, 'UTF8'), 'hex')";

  // --- DDL (enforce_ddl.cpp) ---
  /// The snapshot that this session plans with now.
  [[nodiscard]] std::shared_ptr<const rewrite::Catalogue> catalogue() const;
  [[nodiscard]] bool may_look() const;
  void note_schema(bool followed);
  void note_transaction(char status);
  /// False: wait, the catalogue is being loaded for what `sql` needs.
  bool catalogue_fresh(std::string_view sql, Io& io);
  /// True: wait, the plan awaits tables that another session may just have made.
  bool look_for_awaited(const rewrite::Plan& plan, Io& io);
  /// Runs a question of ours in the client's transaction; rows in collected_.
  void ask(std::string_view sql, std::function<void(bool failed, Io&)> then, Io& io);
  void look(Io& io);
  void look_on(Io& io);
  void looked(Result<std::shared_ptr<const rewrite::Catalogue>> found, Io& io);
  /// What the last look failed with, once.
  std::optional<pgwire::ErrorReport> look_failure();
  using Where = std::pair<std::string, std::string>;  ///< backend, transaction
  [[nodiscard]] std::optional<Where> backend_and_transaction() const;
  /// collected_ in UTF-8.
  [[nodiscard]] Result<protect::Rows> collected_rows() const;
  /// The call of theriac.settle().
  static std::string settle_call(const AdoptionKey& key, const Where& where,
                                 const std::string& arguments);
  [[nodiscard]] std::string settle_sql(const rewrite::FollowedDdl& follow,
                                       const rewrite::Catalogue& catalogue) const;
  void run_followed(const std::shared_ptr<const rewrite::Statement>& statement,
                    const std::function<void(Io&)>& send,
                    const std::function<void(bool failed, Io&)>& done, Io& io);
  void follow_execute(const pgwire::Frame& frame, const std::shared_ptr<Portal>& portal, Io& io);
  void follow_in_batch(const rewrite::Statement& statement,
                       const std::shared_ptr<Prepared>& prepared,
                       const std::shared_ptr<Portal>& portal, Io& io);
  // --- enforce_views.cpp
  /// Gives the view that was just made its protected form; `done` with true: refused.
  void form_view(const rewrite::FollowedDdl::MadeView& view, const Where& where,
                 const std::function<void(bool failed, Io&)>& done, Io& io);
  void register_view(protect::NewView view, const Where& where,
                     const std::function<void(bool failed, Io&)>& done, Io& io);
  /// The rest of a batch means what the new catalogue says. False: wait.
  bool plan_rest(Io& io);

  [[nodiscard]] rewrite::Context context() const {
    return {search_path_, std::string(encoding_name())};
  }

  EnforceService& service_;
  std::shared_ptr<Database> database_;  ///< shared with the sessions of the same one
  std::shared_ptr<Ciphers> ciphers_;    ///< shared with the other sessions of this loop
  std::string user_;
  std::string role_;  ///< current_user
  Waker waker_;

  Phase phase_ = Phase::kSignIn;
  Bytes client_in_, server_in_;
  std::deque<Expect> expects_;
  std::map<std::string, std::shared_ptr<Prepared>, std::less<>> prepared_;
  std::map<std::string, std::shared_ptr<Portal>, std::less<>> portals_;
  std::map<std::string, std::shared_ptr<RowMap>, std::less<>> cursors_;
  std::set<std::string, std::less<>> held_cursors_;
  std::vector<std::string> search_path_{"public"};
  std::string search_path_key_{"public"};
  pgwire::TextSettings settings_;
  char transaction_ = 'I';
  bool in_pipeline_ = false;  ///< extended messages were sent since the last Sync
  bool skipping_ = false;     ///< the server skips to the next Sync
  bool refused_ = false;      ///< it will, once it comes to the message that we made fail
  bool poisoned_ = false;     ///< we told the client of an error the server does not know
  std::optional<CopyIn> copy_in_;
  std::size_t client_body_left_ = 0;  ///< of a CopyData whose end has not come
  bool client_body_passes_ = false;   ///< its beginning went to the server, so must the rest
  bool settings_stale_ = false;
  bool settings_in_transaction_ = false;
  bool settings_unsure_ = false;   ///< something that may change them was sent and not answered yet
  bool settings_unknown_ = false;  ///< for the message at hand, in a transaction that has failed
  /// A statement that may change how texts read is on its way (Statement::changes_reading), or was
  /// part of the transaction that is open.
  bool reading_stale_ = false, reading_in_transaction_ = false;
  std::string server_encoding_;
  bool escape_strings_ = false;  ///< standard_conforming_strings is off
  Bytes frame_in_utf8_;
  Bytes fields_;  ///< of the description at hand, as the client gets it
  bool superuser_ = false;

  bool holding_ = false;  ///< whole messages wait for answers of the server
  bool waiting_ = false;  ///< for collected rows, for a Waker or for all answers
  bool waiting_for_answers_ = false;
  std::vector<std::vector<std::optional<Bytes>>> collected_;
  bool collected_too_many_ = false;
  std::function<void(bool failed, Io&)> continuation_;
  Bytes held_ready_;  ///< the first ReadyForQuery, kept until the settings are known
  bool settled_ = false;

  struct Batch {
    std::string sql;
    Planned planned;
    std::shared_ptr<const rewrite::Catalogue> catalogue;
    std::size_t next = 0;
    bool plan_again = false;  ///< DDL was followed: the rest is planned anew
    bool ask_first = false;   ///< what the rest needs was not asked for yet
    bool setting = false;     ///< a statement that may have set anything was sent
    [[nodiscard]] const std::shared_ptr<const rewrite::Plan>& plan() const { return planned.plan; }
  };
  std::optional<Batch> batch_;

  /// The database as this session has changed it and nobody else may see it yet.
  struct OwnView {
    enum class Stale : std::uint8_t { kNo, kConcerned, kAll };
    bool active = false;
    bool changed = false, followed = false;  ///< in the transaction that is open
    Stale stale = Stale::kNo;                ///< for which statements it must be loaded again
    std::shared_ptr<const rewrite::Catalogue> catalogue;  ///< null: not loaded yet
    std::unique_ptr<PlanCache> plans;                     ///< with `catalogue`
    std::optional<std::uint64_t> ticket;  ///< when the shared snapshot has caught up
    std::optional<Error> failed;
  };
  OwnView own_;
  std::unique_ptr<protect::CatalogueReading> reading_;
  bool look_alone_ = false;
  int looks_ = 0;
  bool looked_ = false;  ///< for the message at hand
  Bytes held_done_;

  /// Shared with callbacks of the audit log, which may come after the session's end.
  struct Durable {
    std::atomic<int> outstanding{0};
    std::atomic<bool> failed{false};
    std::atomic<int> code{0};
  };
  std::shared_ptr<Durable> durable_ = std::make_shared<Durable>();
  std::map<std::string, std::int64_t> grants_;  ///< class -> monotonic end
  std::map<std::string, std::int64_t> pending_grants_;
  bool strict_done_ = false;  ///< the intent of the message at hand is durable
  std::string correlation_;
  std::uint64_t opened_ = 0, sealed_ = 0, statements_ = 0;
  RecentRulings rulings_;
  std::uint64_t gather_names_ = 0;
};

}  // namespace theriac::gateway
