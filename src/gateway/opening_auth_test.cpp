#include "gateway/opening_auth.hpp"

#include <gtest/gtest.h>

#include "codec/base64.hpp"
#include "crypto/hash.hpp"
#include "gateway/pass_session.hpp"
#include "runtime/sim.hpp"

namespace theriac::gateway {
namespace {

/// A user as client and server know him. What the password is does not matter here: the client
/// proves the ClientKey, of which the server keeps the hash (RFC 5802, section 3).
struct Account {
  Bytes client_key = Bytes(32, 0x11), server_key = Bytes(32, 0x22);
  [[nodiscard]] std::string rolpassword() const {
    const auto stored = crypto::sha256(client_key);
    return "SCRAM-SHA-256$4096:" + codec::to_base64(Bytes(16, 0x33)) + "$" +
           codec::to_base64(stored) + ":" + codec::to_base64(server_key);
  }
  [[nodiscard]] pgwire::ScramKeys keys() const {
    const auto key = [](const Bytes& raw) {
      return Key256(std::span<const std::uint8_t, 32>(raw.data(), 32));
    };
    return {key(client_key), key(server_key)};
  }
};

Bytes authentication(std::uint32_t code, std::string_view data = {}) {
  Bytes body, out;
  append_be(body, code);
  append(body, data);
  pgwire::write_message(out, 'R', body);
  return out;
}
Bytes password(std::string_view text) {
  Bytes out;
  pgwire::write_message(out, 'p', view_of(text));
  return out;
}
Bytes initial(std::string_view mechanism, std::string_view data) {
  Bytes body, out;
  append(body, mechanism);
  body.push_back(0);
  append_be(body, static_cast<std::uint32_t>(data.size()));
  append(body, data);
  pgwire::write_message(out, 'p', body);
  return out;
}
Bytes ready() {
  Bytes out;
  pgwire::write_ready(out, 'I');
  return out;
}
const std::string kBoth("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0", 35 - 1);
const std::string kPlainOnly("SCRAM-SHA-256\0\0", 15);

std::string sqlstate_in(const Bytes& bytes) {
  ByteView rest(bytes);
  while (true) {
    const auto frame = pgwire::cut_message(rest, pgwire::kMessageBytesMax);
    if (!frame || !*frame) return {};
    if ((*frame)->tag == 'E') {
      for (const auto& field : pgwire::read_notice((*frame)->body)) {
        if (field.code == 'C') return std::string(field.text);
      }
    }
    rest = rest.subspan((*frame)->raw.size());
  }
}

class SignInTest : public ::testing::Test {
 protected:
  SignInSetup setup(bool client_tls, bool server_tls, bool enforce = false) {
    SignInSetup made;
    made.startup.parameters = {{"user", "user"}};
    made.enforce = enforce;
    made.client_tls = client_tls;
    made.server_tls = server_tls;
    if (client_tls) made.client_binding = Bytes(32, 0xc1);
    if (server_tls) made.server_binding = Bytes(32, 0x5e);
    made.make = [this](const pgwire::StartupMessage&, const Waker&) {
      ++made_;
      return Result<std::unique_ptr<Session>>(std::make_unique<PassSession>(metrics_));
    };
    made.waker = [this] { ++woken_; };
    made.process_secret = &secret_;
    made.random = &random_;
    made.metrics = &metrics_;
    return made;
  }
  LoopMetrics metrics_;
  runtime::SimRandom random_{5};
  Key256 secret_;
  int made_ = 0, woken_ = 0;
};

TEST_F(SignInTest, RelaysUntilAccepted) {
  // Server bytes: demand, acceptance, and the first messages of the session, at every split.
  Bytes server = authentication(3);
  append(server, authentication(0));
  append(server, ready());
  for (std::size_t cut = 0; cut <= server.size(); ++cut) {
    SignIn sign_in(setup(false, false));
    Io io;
    sign_in.from_server(ByteView(server).first(cut), io);
    std::unique_ptr<Session> next;
    if (io.handover) next = sign_in.successor();
    if (!next) {
      Io client;
      sign_in.from_client(password("secret"), client);
      EXPECT_EQ(client.to_server, password("secret"));
      sign_in.from_server(ByteView(server).subspan(cut), io);
      ASSERT_TRUE(io.handover);
      next = sign_in.successor();
    } else {
      append(io.to_client, ByteView(server).subspan(cut));
    }
    EXPECT_EQ(io.to_client, server);
    EXPECT_FALSE(io.finished);
    ASSERT_NE(next, nullptr);
  }
  EXPECT_EQ(made_, static_cast<int>(server.size()) + 1);
}

TEST_F(SignInTest, ErrorOfTheServerEndsIt) {
  SignIn sign_in(setup(false, false));
  Io io;
  Bytes error;
  pgwire::write_error(error, {.severity = "FATAL", .sqlstate = "28P01", .message = "no"});
  sign_in.from_server(error, io);
  EXPECT_EQ(io.to_client, error);
  EXPECT_TRUE(io.finished);
  EXPECT_EQ(made_, 0);
}

TEST_F(SignInTest, MessagesSentAheadWaitAndFollow) {
  SignIn sign_in(setup(false, false));
  Bytes query;
  pgwire::write_query(query, "select 1");
  Io io;
  sign_in.from_client(query, io);
  EXPECT_TRUE(io.to_server.empty());
  EXPECT_TRUE(sign_in.holds_client());
  sign_in.from_server(authentication(0), io);
  EXPECT_EQ(io.to_server, query);
  EXPECT_TRUE(io.handover);
}

TEST_F(SignInTest, TooMuchAheadIsRefused) {
  SignIn sign_in(setup(false, false));
  Io io;
  Bytes large;
  large.push_back('p');
  append_be(large, pgwire::kAuthMessageBytesMax + 5);
  sign_in.from_client(large, io);
  EXPECT_TRUE(io.finished);
  EXPECT_EQ(sqlstate_in(io.to_client), "54000");
}

TEST_F(SignInTest, TerminateBeforeSignInEndsIt) {
  SignIn sign_in(setup(false, false));
  Io io;
  Bytes terminate;
  pgwire::write_message(terminate, 'X', {});
  sign_in.from_client(terminate, io);
  EXPECT_TRUE(io.finished);
  EXPECT_TRUE(io.to_client.empty());
}

TEST_F(SignInTest, PassThroughRelaysEveryMethod) {
  for (const std::uint32_t method : {2U, 3U, 5U, 7U, 9U, 99U}) {
    SignIn sign_in(setup(false, false));
    Io io;
    sign_in.from_server(authentication(method, "salt"), io);
    EXPECT_EQ(io.to_client, authentication(method, "salt"));
    EXPECT_FALSE(io.finished);
  }
}

TEST_F(SignInTest, EnforceRefusesWeakAndOpaqueMethods) {
  for (const std::uint32_t method : {2U, 3U, 5U, 7U, 9U, 99U}) {
    SignIn sign_in(setup(false, false, true));
    Io io;
    sign_in.from_server(authentication(method, "salt"), io);
    EXPECT_TRUE(io.finished) << method;
    EXPECT_EQ(sqlstate_in(io.to_client), "0A000") << method;
  }
  SignIn over_tls(setup(true, false, true));
  Io io;
  over_tls.from_server(authentication(3), io);
  EXPECT_EQ(io.to_client, authentication(3));
}

TEST_F(SignInTest, PlainServerLegPassesScramUntouched) {
  SignIn sign_in(setup(true, false, true));
  Io io;
  sign_in.from_server(authentication(10, kPlainOnly), io);
  EXPECT_EQ(io.to_client, authentication(10, kPlainOnly));
  sign_in.from_client(initial("SCRAM-SHA-256", "y,,n=,r=abc"), io);
  EXPECT_EQ(io.to_server, initial("SCRAM-SHA-256", "y,,n=,r=abc"));
}

TEST_F(SignInTest, PlainClientIsNotOfferedChannelBinding) {
  SignIn sign_in(setup(false, true));
  Io io;
  sign_in.from_server(authentication(10, kBoth), io);
  EXPECT_EQ(io.to_client, authentication(10, kPlainOnly));
}

TEST_F(SignInTest, TlsOnBothLegsWithoutVerifiersIsRefused) {
  SignIn sign_in(setup(true, true));
  Io io;
  sign_in.from_server(authentication(10, kBoth), io);
  EXPECT_TRUE(io.finished);
  EXPECT_EQ(sqlstate_in(io.to_client), "0A000");
}

/// Plays PostgreSQL and libpq around a sign-in that ends SCRAM here.
class Terminated : public SignInTest {
 protected:
  enum class Lookup { kAtOnce, kLater };
  struct Outcome {
    bool accepted = false;
    std::string sqlstate;
    bool server_saw_proof = false;
  };

  /// Bytes travel in pieces of `piece`; the client proves `client`, the server knows `server`.
  Outcome play(const Account& client, const Account& server,
               Result<std::optional<std::string>> verifier, Lookup when, std::size_t piece,
               Bytes client_sees_binding = Bytes(32, 0xc1)) {
    auto made = setup(true, true, true);
    VerifierAnswer pending;
    made.lookup = [&](const std::string& user, const VerifierAnswer& answer) {
      EXPECT_EQ(user, "user");
      if (when == Lookup::kAtOnce) {
        answer(verifier);
      } else {
        pending = answer;
      }
    };
    SignIn sign_in(std::move(made));
    pgwire::ScramClient libpq(client.keys(), std::move(client_sees_binding), random_);
    pgwire::ScramServer postgres(*pgwire::parse_verifier(server.rolpassword()), Bytes(32, 0x5e),
                                 false, random_);
    Outcome outcome;
    Bytes postgres_out = authentication(10, kBoth), libpq_out;
    Bytes from_gateway_client, from_gateway_server;
    for (int turn = 0; turn < 1000; ++turn) {
      Io io;
      if (!postgres_out.empty()) {
        const auto now = std::min(piece, postgres_out.size());
        sign_in.from_server(ByteView(postgres_out).first(now), io);
        postgres_out.erase(postgres_out.begin(), postgres_out.begin() + static_cast<long>(now));
      } else if (!libpq_out.empty() && !sign_in.holds_client()) {
        const auto now = std::min(piece, libpq_out.size());
        sign_in.from_client(ByteView(libpq_out).first(now), io);
        libpq_out.erase(libpq_out.begin(), libpq_out.begin() + static_cast<long>(now));
      } else if (pending) {
        std::exchange(pending, nullptr)(verifier);
        EXPECT_EQ(woken_, 1);
        sign_in.resume(io);
      }
      append(from_gateway_client, io.to_client);
      append(from_gateway_server, io.to_server);
      if (io.finished) outcome.sqlstate = sqlstate_in(from_gateway_client);
      answer_as_client(libpq, from_gateway_client, libpq_out);
      answer_as_server(postgres, from_gateway_server, postgres_out, outcome);
      if (io.handover) outcome.accepted = sign_in.successor() != nullptr;
      if (outcome.accepted || io.finished) break;
    }
    return outcome;
  }

  static std::optional<pgwire::Frame> cut(Bytes& buffer, Bytes& held) {
    const auto frame = pgwire::cut_message(buffer, pgwire::kMessageBytesMax);
    if (!frame || !*frame) return std::nullopt;
    held.assign(buffer.begin(), buffer.begin() + static_cast<long>((*frame)->raw.size()));
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<long>(held.size()));
    return **pgwire::cut_message(held, pgwire::kMessageBytesMax);
  }
  static void answer_as_client(pgwire::ScramClient& libpq, Bytes& in, Bytes& out) {
    Bytes held;
    while (const auto frame = cut(in, held)) {
      if (frame->tag != 'R') continue;
      const auto code = load_be<std::uint32_t>(frame->body.data());
      const auto data = text_of(frame->body.subspan(4));
      if (code == 10) {
        EXPECT_EQ(data, kBoth);
        append(out, initial(libpq.mechanism(), libpq.first()));
      } else if (code == 11) {
        append(out, password(*libpq.final(data)));
      } else if (code == 12) {
        EXPECT_TRUE(libpq.verify(data)) << "the client must be shown a proof of the server";
      } else {
        EXPECT_EQ(code, 0U);
      }
    }
  }
  static void answer_as_server(pgwire::ScramServer& postgres, Bytes& in, Bytes& out,
                               Outcome& outcome) {
    Bytes held;
    while (const auto frame = cut(in, held)) {
      const auto text = text_of(frame->body);
      if (!outcome.server_saw_proof) {
        outcome.server_saw_proof = true;
        const auto end = text.find('\0');
        EXPECT_EQ(text.substr(0, end), "SCRAM-SHA-256-PLUS");
        append(out, authentication(11, *postgres.first(text.substr(0, end), text.substr(end + 5))));
        continue;
      }
      const auto final = postgres.final(text);
      if (!final) {
        pgwire::write_error(out, {.severity = "FATAL", .sqlstate = "28P01", .message = "no"});
        continue;
      }
      append(out, authentication(12, *final));
      append(out, authentication(0));
    }
  }
};

TEST_F(Terminated, OnePasswordSignsInOnBothLegs) {
  const Account account;
  for (const auto when : {Lookup::kAtOnce, Lookup::kLater}) {
    for (const std::size_t piece : {7U, 50U, 1000U}) {
      woken_ = 0;
      const auto outcome = play(account, account, {account.rolpassword()}, when, piece);
      EXPECT_TRUE(outcome.accepted) << piece;
      EXPECT_TRUE(outcome.server_saw_proof);
      EXPECT_EQ(outcome.sqlstate, "");
    }
  }
}

TEST_F(Terminated, WrongPasswordNeverReachesTheServer) {
  Account wrong;
  wrong.client_key[0] ^= 1;
  const Account right;
  const auto outcome = play(wrong, right, {right.rolpassword()}, Lookup::kLater, 1000);
  EXPECT_FALSE(outcome.accepted);
  EXPECT_FALSE(outcome.server_saw_proof);
  EXPECT_EQ(outcome.sqlstate, "28P01");
}

TEST_F(Terminated, UnknownUserAndUserWithoutScramLookLikeAWrongPassword) {
  const Account account;
  for (const auto& verifier : {std::optional<std::string>{}, std::optional<std::string>{"md5abc"},
                               std::optional<std::string>{""}}) {
    const auto outcome = play(account, account, {verifier}, Lookup::kAtOnce, 1000);
    EXPECT_FALSE(outcome.accepted);
    EXPECT_FALSE(outcome.server_saw_proof);
    EXPECT_EQ(outcome.sqlstate, "28P01");
  }
}

TEST_F(Terminated, VerifierThatCannotBeHadIsTold) {
  const Account account;
  const auto outcome =
      play(account, account, fail(Code::kUpstream, "SQLSTATE 08006"), Lookup::kLater, 1000);
  EXPECT_FALSE(outcome.accepted);
  EXPECT_EQ(outcome.sqlstate, "08001");
}

TEST_F(Terminated, SomebodyBetweenClientAndGatewayIsNoticed) {
  // The client saw another certificate than ours.
  const Account account;
  const auto outcome =
      play(account, account, {account.rolpassword()}, Lookup::kAtOnce, 1000, Bytes(32, 0xee));
  EXPECT_FALSE(outcome.accepted);
  EXPECT_FALSE(outcome.server_saw_proof);
  EXPECT_EQ(outcome.sqlstate, "28P01");
}

TEST_F(Terminated, PasswordChangedMeanwhileIsTheServersRefusal) {
  const Account account;
  Account changed;
  changed.client_key[5] ^= 9;
  const auto outcome = play(account, changed, {account.rolpassword()}, Lookup::kLater, 1000);
  EXPECT_FALSE(outcome.accepted);
  EXPECT_TRUE(outcome.server_saw_proof);
  EXPECT_EQ(outcome.sqlstate, "28P01");
}

TEST_F(Terminated, BrokenInitialResponsesAreRefused) {
  for (const auto& body : {std::string("SCRAM-SHA-256"), std::string("SCRAM-SHA-256\0\0\0\0", 17),
                           std::string("SCRAM-SHA-256\0\0\0\0\x09n,,", 21)}) {
    auto made = setup(true, true);
    made.lookup = [](const std::string&, const VerifierAnswer&) {};
    SignIn sign_in(std::move(made));
    Io io;
    sign_in.from_server(authentication(10, kBoth), io);
    sign_in.from_client(password(body), io);
    EXPECT_TRUE(io.finished);
    EXPECT_EQ(sqlstate_in(io.to_client), "08P01");
  }
}

}  // namespace
}  // namespace theriac::gateway
