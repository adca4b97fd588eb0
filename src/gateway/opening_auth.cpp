#include "gateway/opening_auth.hpp"

#include <algorithm>

#include "gateway/gateway_limits.hpp"

namespace theriac::gateway {
namespace {

// AuthenticationRequest codes (PostgreSQL 15, libpq/pqcomm.h).
constexpr std::uint32_t kAuthOk = 0;
constexpr std::uint32_t kAuthPassword = 3;
constexpr std::uint32_t kAuthMd5 = 5;
constexpr std::uint32_t kAuthSasl = 10;
constexpr std::uint32_t kAuthSaslContinue = 11;
constexpr std::uint32_t kAuthSaslFinal = 12;

constexpr std::string_view kScram = "SCRAM-SHA-256";
constexpr std::string_view kScramPlus = "SCRAM-SHA-256-PLUS";

void write_authentication(Bytes& out, std::uint32_t code, std::string_view data) {
  Bytes body;
  append_be(body, code);
  append(body, data);
  pgwire::write_message(out, 'R', body);
}

void write_mechanisms(Bytes& out, bool with_plus) {
  std::string names;
  if (with_plus) names.append(kScramPlus).push_back('\0');
  names.append(kScram).push_back('\0');
  names.push_back('\0');
  write_authentication(out, kAuthSasl, names);
}

void write_sasl_initial(Bytes& out, std::string_view mechanism, std::string_view data) {
  Bytes body;
  append(body, mechanism);
  body.push_back(0);
  append_be(body, static_cast<std::uint32_t>(data.size()));
  append(body, data);
  pgwire::write_message(out, 'p', body);
}

bool lists(ByteView names, std::string_view wanted) {
  auto rest = text_of(names);
  while (!rest.empty() && rest.front() != '\0') {
    const auto end = std::min(rest.find('\0'), rest.size());
    if (rest.substr(0, end) == wanted) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

void drop_front(Bytes& buffer, std::size_t count) {
  buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

const std::string& SignIn::user() const {
  static const std::string kNobody;
  const auto* name = setup_.startup.find("user");
  return name == nullptr ? kNobody : *name;
}

void SignIn::refuse(const Error& error, Io& io) {
  setup_.metrics->error(error.code);
  setup_.metrics->refusals.add();
  auto report = pgwire::report_of(error);
  report.severity = "FATAL";
  pgwire::write_error(io.to_client, report);
  io.finished = true;
  state_ = State::kDone;
}

bool SignIn::holds_client() const { return ahead_ || state_ == State::kVerifier; }

void SignIn::from_client(ByteView bytes, Io& io) {
  if (state_ == State::kDone) return;
  append(client_in_, bytes);
  pump_client(io);
}

void SignIn::from_server(ByteView bytes, Io& io) {
  if (state_ == State::kDone) return;
  append(server_in_, bytes);
  pump_server(io);
}

void SignIn::resume(Io& io) {
  if (state_ != State::kVerifier) return;
  answer_client_first(io);
  pump_client(io);
}

void SignIn::pump_client(Io& io) {
  while (state_ != State::kDone && state_ != State::kVerifier) {
    const auto frame = pgwire::cut_message(client_in_, pgwire::kAuthMessageBytesMax);
    if (!frame) return refuse(frame.error(), io);
    if (!*frame) {
      // A message beyond the limit is known by its head; this bounds what stands behind it.
      if (client_in_.size() > kEarlyBytesMax + 5) refuse({Code::kTooLarge, "sign-in message"}, io);
      return;
    }
    if ((*frame)->tag == 'X') {
      io.finished = true;
      state_ = State::kDone;
      return;
    }
    if ((*frame)->tag != 'p') {
      // A client may send ahead when it expects to be let in; it is read once it is.
      ahead_ = true;
      return;
    }
    const auto size = (*frame)->raw.size();
    on_client(**frame, io);
    drop_front(client_in_, size);
  }
}

void SignIn::on_client(const pgwire::Frame& frame, Io& io) {
  switch (state_) {
    case State::kRelay:
      append(io.to_server, frame.raw);
      return;
    case State::kClientFirst:
      return on_client_first(frame.body, io);
    case State::kClientFinal:
      return on_client_final(frame.body, io);
    default:
      return refuse({Code::kProtocol, "password message out of turn"}, io);
  }
}

void SignIn::pump_server(Io& io) {
  while (state_ != State::kDone) {
    const auto frame = pgwire::cut_message(server_in_, pgwire::kAuthMessageBytesMax);
    if (!frame) return refuse({Code::kUpstream, "sign-in message of the server"}, io);
    if (!*frame) return;
    const auto size = (*frame)->raw.size();
    switch ((*frame)->tag) {
      case 'R':
        on_authentication(**frame, io);
        break;
      case 'E':
        append(io.to_client, (*frame)->raw);
        io.finished = true;
        state_ = State::kDone;
        break;
      case 'N':
      case 'v':
        append(io.to_client, (*frame)->raw);
        break;
      default:
        return refuse({Code::kUpstream, "unexpected message of the server before sign-in"}, io);
    }
    if (state_ != State::kDone) drop_front(server_in_, size);
  }
}

void SignIn::on_authentication(const pgwire::Frame& frame, Io& io) {
  if (frame.body.size() < 4) return refuse({Code::kUpstream, "authentication message"}, io);
  const auto code = load_be<std::uint32_t>(frame.body.data());
  const auto data = frame.body.subspan(4);
  if (state_ == State::kRelay) {
    if (code == kAuthOk) return hand_over(frame, frame.raw.size(), io);
    if (code == kAuthSasl) return on_mechanisms(frame, data, io);
    if (code == kAuthSaslContinue || code == kAuthSaslFinal) {
      append(io.to_client, frame.raw);
      return;
    }
    return on_method(frame, code, io);
  }
  if (state_ == State::kServerFirst && code == kAuthSaslContinue) {
    const auto final = scram_client_->final(text_of(data));
    if (!final) return refuse({Code::kUpstream, "SCRAM of the server"}, io);
    pgwire::write_message(io.to_server, 'p', view_of(*final));
    state_ = State::kServerFinal;
    return;
  }
  if (state_ == State::kServerFinal && code == kAuthSaslFinal) {
    if (!scram_client_->verify(text_of(data))) {
      return refuse({Code::kUpstream, "the server does not prove that it knows the user"}, io);
    }
    state_ = State::kServerOk;
    return;
  }
  if (state_ == State::kServerOk && code == kAuthOk) {
    write_authentication(io.to_client, kAuthSaslFinal, server_final_);
    return hand_over(frame, frame.raw.size(), io);
  }
  refuse({Code::kUpstream, "authentication message out of turn"}, io);
}

void SignIn::on_method(const pgwire::Frame& frame, std::uint32_t method, Io& io) {
  if (setup_.enforce) {
    if (method == kAuthMd5) {
      return refuse(
          {Code::kUnsupported,
           "md5 passwords: set password_encryption to scram-sha-256 and the password anew"},
          io);
    }
    if (method != kAuthPassword) {
      return refuse({Code::kUnsupported,
                     "the server asks for GSS, SSPI or an unknown sign-in: use scram-sha-256"},
                    io);
    }
    if (!setup_.client_tls) {
      return refuse({Code::kUnsupported, "clear-text passwords: only over TLS, sslmode=require"},
                    io);
    }
  }
  append(io.to_client, frame.raw);
}

void SignIn::on_mechanisms(const pgwire::Frame& frame, ByteView names, Io& io) {
  if (!setup_.server_tls || !lists(names, kScramPlus)) {
    append(io.to_client, frame.raw);
    return;
  }
  if (!setup_.client_tls) {
    if (!lists(names, kScram)) {
      return refuse({Code::kUnsupported, "the server demands channel binding: use TLS"}, io);
    }
    write_mechanisms(io.to_client, false);
    return;
  }
  if (!setup_.lookup) {
    return refuse({Code::kUnsupported,
                   "SCRAM with TLS on both legs needs the server's verifiers: give the gateway "
                   "--catalogue, or connect it to the server by a local socket"},
                  io);
  }
  begin_scram(io);
}

void SignIn::begin_scram(Io& io) {
  answer_ = std::make_shared<Answer>();
  setup_.lookup(user(), [answer = answer_,
                         waker = setup_.waker](Result<std::optional<std::string>> verifier) {
    answer->value = std::move(verifier);
    waker();
  });
  write_mechanisms(io.to_client, !setup_.client_binding.empty());
  state_ = State::kClientFirst;
}

void SignIn::on_client_first(ByteView body, Io& io) {
  const auto text = text_of(body);
  const auto end = text.find('\0');
  if (end == std::string_view::npos || body.size() - end - 1 < 4) {
    return refuse({Code::kProtocol, "SASLInitialResponse"}, io);
  }
  const auto size = load_be<std::uint32_t>(body.data() + end + 1);
  if (size != body.size() - end - 5) return refuse({Code::kProtocol, "SASLInitialResponse"}, io);
  mechanism_ = text.substr(0, end);
  client_first_ = text.substr(end + 5);
  state_ = State::kVerifier;
  if (answer_->value) answer_client_first(io);
}

void SignIn::answer_client_first(Io& io) {
  if (!answer_->value) return;
  auto& found = *answer_->value;
  if (!found) return refuse(found.error(), io);
  auto verifier = *found ? pgwire::parse_verifier(**found)
                         : Result<pgwire::ScramVerifier>(fail(Code::kNotFound));
  // An unknown user, or one without such a password, must look like a wrong password.
  const bool doomed = !verifier;
  if (doomed) verifier = pgwire::mock_verifier(*setup_.process_secret, user());
  scram_server_.emplace(std::move(*verifier), setup_.client_binding, doomed, *setup_.random);
  const auto server_first = scram_server_->first(mechanism_, client_first_);
  if (!server_first) return refuse(server_first.error(), io);
  write_authentication(io.to_client, kAuthSaslContinue, *server_first);
  state_ = State::kClientFinal;
}

void SignIn::on_client_final(ByteView body, Io& io) {
  auto server_final = scram_server_->final(text_of(body));
  if (!server_final) return refuse(server_final.error(), io);
  auto keys = scram_server_->keys();
  if (!keys) return refuse(keys.error(), io);
  server_final_ = std::move(*server_final);
  scram_client_.emplace(std::move(*keys), setup_.server_binding, *setup_.random);
  write_sasl_initial(io.to_server, scram_client_->mechanism(), scram_client_->first());
  state_ = State::kServerFirst;
}

void SignIn::hand_over(const pgwire::Frame& frame, std::size_t used, Io& io) {
  auto made = setup_.make(setup_.startup, setup_.waker);
  if (!made) return refuse(made.error(), io);
  append(io.to_client, frame.raw);
  successor_ = std::move(*made);
  state_ = State::kDone;
  io.handover = true;
  // The keys that sign the user in are not needed any more.
  scram_client_.reset();
  scram_server_.reset();
  const auto server_rest = ByteView(server_in_).subspan(used);
  const auto give = [this](ByteView rest, Bytes& out, auto pass, auto from, Io& into) {
    const auto passed = (successor_.get()->*pass)(rest);
    append(out, rest.first(passed));
    if (passed < rest.size()) (successor_.get()->*from)(rest.subspan(passed), into);
  };
  if (!server_rest.empty()) {
    give(server_rest, io.to_client, &Session::pass_from_server, &Session::from_server, io);
  }
  if (!client_in_.empty() && !io.finished) {
    give(client_in_, io.to_server, &Session::pass_from_client, &Session::from_client, io);
  }
}

}  // namespace theriac::gateway
