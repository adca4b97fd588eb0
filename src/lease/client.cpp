#include <time.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "crypto/hash.hpp"
#include "lease/channel.hpp"
#include "lease/lease.hpp"
#include "lease/limits.hpp"
#include "lease/reply.hpp"
#include "lease/secret_access.hpp"
#include "lease/state.hpp"
#include "lease/token_file.hpp"
#include "pki/files.hpp"

namespace theriac::lease {
namespace {

constexpr std::size_t kIdBytes = 16;

std::int64_t nanoseconds(clockid_t which) {
  timespec now{};
  ::clock_gettime(which, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Sixteen bytes that two copies of one machine do not share even when their generators do: the
/// clocks of two copies never agree to the nanosecond.
std::string hedged_id(Random& random) {
  Bytes seed(kIdBytes);
  random.fill(seed);
  append_be(seed, static_cast<std::uint64_t>(nanoseconds(CLOCK_BOOTTIME)));
  append_be(seed, static_cast<std::uint64_t>(nanoseconds(CLOCK_REALTIME)));
  return to_hex(ByteView(crypto::sha256(seed)).first(kIdBytes));
}

/// What an error says about the request that was sent.
enum class Meaning : std::uint8_t {
  kUnclear,  ///< it may have been carried out, now or when it was sent before: send the same again
  kRequest,  ///< it can never be carried out; the token was not used
  kLease,    ///< the token is worth nothing any more
};
Meaning meaning_of(Code code) {
  switch (code) {
    case Code::kNotFound:
    case Code::kConflict:
    case Code::kLeaseReplayed:
    case Code::kDenied:
      return Meaning::kLease;
    case Code::kProtocol:
    case Code::kMismatch:
    case Code::kTooLarge:
    case Code::kMalformed:
    case Code::kUsage:
      return Meaning::kRequest;
    default:
      return Meaning::kUnclear;
  }
}

bool is_silence(Code code) { return code == Code::kClosed || code == Code::kTimeout; }

bool asks_for(const std::string& request, const std::vector<std::string>& classes) {
  const auto json = codec::parse_json(request);
  return json && json->is_object() && json->value("classes", codec::Json()) == codec::Json(classes);
}

std::map<std::string, std::uint32_t, std::less<>> graces(const ClientOptions& options) {
  std::map<std::string, std::uint32_t, std::less<>> all;
  for (const auto& [name, seconds] : options.classes) all[name] = seconds;
  return all;
}

Wanted wanted_of(const ClientOptions& options) {
  Wanted wanted{options.tenant, {}, options.suites};
  for (const auto& [name, seconds] : options.classes) wanted.classes.push_back(name);
  return wanted;
}

class Client final : public LeaseClient {
 public:
  Client(ClientOptions options, Clock& clock, Random& random, Log& log, Notify notify)
      : options_(std::move(options)),
        clock_(clock),
        random_(random),
        log_(log),
        notify_(std::move(notify)),
        wanted_(wanted_of(options_)),
        token_file_(options_.state_file),
        boot_(hedged_id(random)),
        state_(graces(options_)) {}
  ~Client() override;

  Status begin();
  Result<std::shared_ptr<const Keyring>> ring(std::string_view class_name,
                                              bool reading) const override {
    const std::scoped_lock lock(mutex_);
    return state_.ring(class_name, reading, clock_.wall_ms(), clock_.monotonic_ms());
  }
  [[nodiscard]] std::uint64_t generation() const override { return generation_.load(); }

 private:
  void loop();
  Status attempt();
  Status exchange_lease(Channel& channel);
  Status take(const Error& error, bool answered);
  /// True when a new request may do better at once.
  bool forget_after(Code code, bool repeated);
  void renew_certificate(Channel& channel, const pki::Credentials& credentials);
  void remember();
  void watch_expiry();
  void release();
  [[nodiscard]] std::int64_t jittered(std::int64_t ms);
  [[nodiscard]] std::int64_t wait_after(const Status& attempt);
  void notify(std::string_view event, const Error* error);
  [[nodiscard]] pki::CredentialPaths paths() const {
    return {options_.certificate_file, options_.key_file, options_.ca_file};
  }

  ClientOptions options_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  Notify notify_;
  Wanted wanted_;
  TokenFile token_file_;
  std::string boot_;
  Memory memory_;
  std::int64_t backoff_ms_ = kBackoffMsFirst;
  std::int64_t ttl_ms_ = 0;
  bool in_grace_ = false;

  mutable std::mutex mutex_;  // state_, stopping_
  LeaseState state_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> generation_{0};
  std::condition_variable wake_;
  std::thread thread_;
};

void Client::notify(std::string_view event, const Error* error) {
  if (notify_) notify_(event, error);
}

void Client::remember() {
  if (auto stored = token_file_.store(memory_); !stored) {
    log_.error("lease state not stored", stored.error());
    notify("lease.state", &stored.error());
  }
}

Status Client::begin() {
  THERIAC_ASSIGN(memory_, token_file_.load());
  const auto give_up = clock_.monotonic_ms() + kStartMsMax;
  while (true) {
    auto done = attempt();
    if (done) break;
    const auto code = done.error().code;
    const bool hopeless = code == Code::kLeaseReplayed || code == Code::kBadCertificate ||
                          code == Code::kDenied || code == Code::kNotFound ||
                          code == Code::kMismatch || code == Code::kProtocol ||
                          code == Code::kClockMoved;
    if (hopeless || clock_.monotonic_ms() >= give_up) return done;
    std::this_thread::sleep_for(std::chrono::milliseconds(
        std::min(jittered(kBackoffMsFirst), give_up - clock_.monotonic_ms())));
  }
  thread_ = std::thread([this] { loop(); });
  return {};
}

Client::~Client() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
    release();
  }
}

void Client::release() {
  // An exchange under way may have used the token up; then the lease simply runs out.
  if (memory_.token.empty() || !memory_.pending.empty()) return;
  auto credentials = pki::load_credentials(paths());
  if (!credentials) return;
  auto channel = Channel::connect(options_.host, options_.port, *credentials, clock_);
  if (!channel) return;
  auto request = make_request("release");
  request["token"] = memory_.token;
  if (channel->exchange(request)) (void)token_file_.remove();
}

void Client::loop() {
  auto done = Status{};
  while (true) {
    const auto wait = wait_after(done);
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::milliseconds(wait), [this] { return stopping_; });
      if (stopping_) return;
    }
    done = attempt();
    watch_expiry();
  }
}

std::int64_t Client::jittered(std::int64_t ms) {
  std::array<std::uint8_t, 2> raw{};
  random_.fill(raw);
  // Between three quarters and the whole.
  return ms - ms * load_be<std::uint16_t>(raw.data()) / (4 * 65'536);
}

std::int64_t Client::wait_after(const Status& attempt) {
  if (attempt) {
    backoff_ms_ = kBackoffMsFirst;
    return std::max<std::int64_t>(jittered(ttl_ms_ / 2), 50);
  }
  const bool answered = meaning_of(attempt.error().code) != Meaning::kUnclear;
  const auto wait = jittered(answered ? kRefusedRetryMs : backoff_ms_);
  backoff_ms_ = std::min(backoff_ms_ * 2, kBackoffMsMax);
  const std::scoped_lock lock(mutex_);
  // Wakes at the lease's end, so that its loss is told when it happens.
  const auto left = state_.left_ms(clock_.wall_ms(), clock_.monotonic_ms());
  return left > 0 ? std::min(wait, left) : wait;
}

void Client::watch_expiry() {
  bool lost = false;
  bool grace = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto wall = clock_.wall_ms();
    const auto monotonic = clock_.monotonic_ms();
    grace = state_.in_grace(wall, monotonic);
    lost = state_.forget_if_over(wall, monotonic);
    generation_.store(state_.generation());
  }
  if (grace && !in_grace_) {
    log_.write(Level::kError, "ALARM: reading on grace, the key service cannot be reached");
    notify("lease.grace", nullptr);
  }
  in_grace_ = grace;
  if (lost) {
    log_.write(Level::kError, "ALARM: lease lost");
    notify("lease.lost", nullptr);
  }
}

Status Client::take(const Error& error, bool answered) {
  {
    const std::scoped_lock lock(mutex_);
    if (answered) {
      state_.refused(error);
    } else {
      state_.unreachable();
    }
    generation_.store(state_.generation());
  }
  log_.error(answered ? "lease refused" : "key service not reached", error);
  if (error.code == Code::kLeaseReplayed) {
    notify("lease.replayed", &error);
  } else {
    notify(answered ? "lease.refused" : "lease.unreachable", &error);
  }
  return fail(error);
}

Status Client::attempt() {
  auto credentials = pki::load_credentials(paths());
  if (!credentials) return take(credentials.error(), false);
  auto channel = Channel::connect(options_.host, options_.port, *credentials, clock_);
  if (!channel) return take(channel.error(), false);
  THERIAC_TRY(exchange_lease(*channel));
  renew_certificate(*channel, *credentials);
  return {};
}

Status Client::exchange_lease(Channel& channel) {
  // Twice at most: an unknown lease is followed by a new one at once.
  for (int round = 0;; ++round) {
    const bool repeated = !memory_.pending.empty();
    if (!repeated) {
      memory_.pending = lease_request(wanted_, boot_, hedged_id(random_), memory_.token);
      remember();
    }
    const auto sent_wall = clock_.wall_ms();
    const auto sent_monotonic = clock_.monotonic_ms();
    const auto answer = channel.exchange(std::string_view(memory_.pending));
    if (!answer) {
      const auto& error = answer.error();
      if (is_silence(error.code)) return take(error, false);
      const bool had_token = !memory_.token.empty();
      if (forget_after(error.code, repeated) && round == 0 && (repeated || had_token)) continue;
      return take(error, true);
    }
    auto granted = read_lease(*answer, sent_wall, sent_monotonic);
    if (!granted) return take(granted.error(), true);
    const bool as_wanted = asks_for(memory_.pending, wanted_.classes);
    memory_ = {granted->token, ""};
    remember();
    ttl_ms_ = granted->ttl_ms;
    {
      const std::scoped_lock lock(mutex_);
      state_.granted(std::move(granted->ring));
      generation_.store(state_.generation());
    }
    // A request kept from an earlier run may have asked for other classes.
    if (!as_wanted && round == 0) continue;
    notify("lease.renewed", nullptr);
    return {};
  }
}

bool Client::forget_after(Code code, bool repeated) {
  const auto meaning = meaning_of(code);
  if (meaning == Meaning::kUnclear) return false;
  memory_.pending.clear();
  // A token goes with its request whenever that may have been carried out earlier: presenting it
  // with another request would look like a second holder.
  if (meaning == Meaning::kLease || repeated) memory_.token.clear();
  remember();
  // What is worth another try at once, with a new request.
  return repeated || code == Code::kNotFound;
}

void Client::renew_certificate(Channel& channel, const pki::Credentials& credentials) {
  const auto identity = credentials.certificate.identity();
  if (!identity) return;
  const auto life = identity->not_after_ms - identity->not_before_ms - pki::kBackdateMs;
  if (clock_.wall_ms() < identity->not_after_ms - life / 2) return;
  const auto key = pki::PrivateKey::generate();
  auto request = make_request("renew_certificate");
  request["csr"] = pki::make_signing_request(key);
  const auto renewed = [&]() -> Status {
    THERIAC_ASSIGN(const auto answer, channel.exchange(request));
    const auto pem = answer.body.find("certificate");
    if (pem == answer.body.end() || !pem->is_string()) return fail(Code::kProtocol, "certificate");
    THERIAC_ASSIGN(const auto made, pki::Certificate::from_pem(pem->get_ref<const std::string&>()));
    if (!made.matches(key)) return fail(Code::kBadCertificate, "renewed certificate");
    const auto key_pem = key.to_pem();
    return pki::replace_credentials(paths(), made.to_pem(),
                                    key_pem.reveal(LeaseSecretAccess::get()));
  }();
  if (renewed) {
    notify("certificate.renewed", nullptr);
  } else {
    log_.error("certificate not renewed", renewed.error());
    notify("certificate.failed", &renewed.error());
  }
}

}  // namespace

Result<std::unique_ptr<LeaseClient>> LeaseClient::start(ClientOptions options, Clock& clock,
                                                        Random& random, Log& log, Notify notify) {
  if (options.classes.empty()) return fail(Code::kUsage, "no class to lease");
  auto client = std::make_unique<Client>(std::move(options), clock, random, log, std::move(notify));
  THERIAC_TRY(client->begin());
  return client;
}

}  // namespace theriac::lease
