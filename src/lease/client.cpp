#include <time.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "crypto/hash.hpp"
#include "lease/channel.hpp"
#include "lease/holder.hpp"
#include "lease/lease.hpp"
#include "lease/limits.hpp"
#include "lease/reply.hpp"
#include "lease/secret_access.hpp"
#include "lease/state.hpp"
#include "lease/token_file.hpp"
#include "pki/credentials.hpp"

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

bool is_silence(Code code) { return code == Code::kClosed || code == Code::kTimeout; }

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
        token_file_(options_.state_file),
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
  TokenFile token_file_;
  std::optional<Holder> holder_;  ///< made by begin(), from what was stored
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
  if (auto stored = token_file_.store(holder_->memory()); !stored) {
    log_.error("lease state not stored", stored.error());
    notify("lease.state", &stored.error());
  }
}

Status Client::begin() {
  THERIAC_TRY(token_file_.claim());
  THERIAC_ASSIGN(auto memory, token_file_.load());
  holder_.emplace(wanted_of(options_), hedged_id(random_), std::move(memory));
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
    const auto left = give_up - clock_.monotonic_ms();
    std::this_thread::sleep_for(std::chrono::milliseconds(
        std::min(jittered(backoff_ms_), std::max<std::int64_t>(left, 0))));
    backoff_ms_ = std::min(backoff_ms_ * 2, kBackoffMsMax / 4);
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
  const auto& memory = holder_->memory();
  if (memory.token.empty() || holder_->repeats()) return;
  auto credentials = pki::load_credentials(paths());
  if (!credentials) return;
  auto channel = Channel::connect(options_.host, options_.port, *credentials, clock_);
  if (!channel) return;
  auto request = make_request("release");
  request["token"] = memory.token;
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
  const auto wait = jittered(is_unclear(attempt.error().code) ? backoff_ms_ : kRefusedRetryMs);
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
  // A second round follows an answer that a new request improves on; a third never does.
  for (int round = 0;; ++round) {
    const auto& request = holder_->next(hedged_id(random_));
    remember();
    const auto sent_wall = clock_.wall_ms();
    const auto sent_monotonic = clock_.monotonic_ms();
    const auto answer = channel.exchange(std::string_view(request));
    if (!answer) {
      if (is_silence(answer.error().code)) return take(answer.error(), false);
      const auto step = holder_->failed(answer.error().code);
      remember();
      if (step == Holder::Step::kAgain && round == 0) continue;
      return take(answer.error(), true);
    }
    auto granted = read_lease(*answer, sent_wall, sent_monotonic);
    if (!granted) return take(granted.error(), true);
    const auto step = holder_->granted(granted->token);
    remember();
    ttl_ms_ = granted->ttl_ms;
    {
      const std::scoped_lock lock(mutex_);
      state_.granted(std::move(granted->ring));
      generation_.store(state_.generation());
    }
    if (step == Holder::Step::kAgain && round == 0) continue;
    notify("lease.renewed", nullptr);
    return {};
  }
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
