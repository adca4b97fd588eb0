#include "pgwire/copy_encoding.hpp"

#include <iconv.h>

#include <cerrno>
#include <string>

namespace theriac::pgwire {

struct CopyTranscoder::State {
  std::shared_ptr<const Encoding> encoding;  ///< else the descriptor is used
  bool reads_utf8 = false;
  iconv_t descriptor = kNone;
  Bytes cut;  ///< the beginning of a character whose rest has not come

  State() = default;
  ~State() {
    if (descriptor != kNone) iconv_close(descriptor);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  // NOLINTNEXTLINE: iconv's own way to say no
  static inline const iconv_t kNone = reinterpret_cast<iconv_t>(-1);
};

CopyTranscoder::CopyTranscoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
CopyTranscoder::~CopyTranscoder() = default;
CopyTranscoder::CopyTranscoder(CopyTranscoder&&) noexcept = default;
CopyTranscoder& CopyTranscoder::operator=(CopyTranscoder&&) noexcept = default;

Result<CopyTranscoder> CopyTranscoder::make(std::string_view name, bool reads_utf8) {
  auto state = std::make_unique<State>();
  state->reads_utf8 = reads_utf8;
  if (auto exact = Encoding::find(name); exact && *exact) {
    state->encoding = std::move(*exact);
    return CopyTranscoder(std::move(state));
  }
  const auto* table = encoding_table(name);
  if (table == nullptr) return fail(Code::kUnsupported, "ENCODING");
  state->descriptor = reads_utf8 ? iconv_open(table, "UTF-8") : iconv_open("UTF-8", table);
  if (state->descriptor == State::kNone) return fail(Code::kUnsupported, "ENCODING of COPY");
  return CopyTranscoder(std::move(state));
}

Result<CopyTranscoder> CopyTranscoder::to_utf8(std::string_view name) { return make(name, false); }

Result<CopyTranscoder> CopyTranscoder::from_utf8(std::string_view name) { return make(name, true); }

Status CopyTranscoder::convert(ByteView bytes, Bytes& out) {
  auto& cut = state_->cut;
  append(cut, bytes);
  if (state_->encoding) {
    const auto& encoding = *state_->encoding;
    const auto used = state_->reads_utf8 ? encoding.encode(cut, out) : encoding.decode(cut, out);
    if (!used) return fail(Code::kBadEncoding, "data of COPY");
    cut.erase(cut.begin(), cut.begin() + static_cast<std::ptrdiff_t>(*used));
    return {};
  }
  auto* in = reinterpret_cast<char*>(cut.data());  // NOLINT: iconv takes char
  auto left = cut.size();
  while (left > 0) {
    constexpr std::size_t kPiece = 16U * 1024U;
    const auto start = out.size();
    out.resize(start + kPiece);
    auto* to = reinterpret_cast<char*>(out.data() + start);  // NOLINT
    auto room = kPiece;
    const auto done = iconv(state_->descriptor, &in, &left, &to, &room);
    const auto reason = errno;
    out.resize(start + (kPiece - room));
    if (done != static_cast<std::size_t>(-1) || reason == E2BIG) continue;
    if (reason == EINVAL) break;  // a character's beginning
    return fail(Code::kBadEncoding, "data of COPY");
  }
  cut.erase(cut.begin(), cut.end() - static_cast<std::ptrdiff_t>(left));
  return {};
}

Status CopyTranscoder::finish(Bytes& out) {
  if (!state_->cut.empty()) return fail(Code::kBadEncoding, "data of COPY");
  if (state_->encoding) return {};
  // Tables with combining characters hold one back.
  constexpr std::size_t kPiece = 64;
  const auto start = out.size();
  out.resize(start + kPiece);
  auto* to = reinterpret_cast<char*>(out.data() + start);  // NOLINT
  auto room = kPiece;
  const auto done = iconv(state_->descriptor, nullptr, nullptr, &to, &room);
  out.resize(start + (kPiece - room));
  if (done == static_cast<std::size_t>(-1)) return fail(Code::kBadEncoding, "data of COPY");
  return {};
}

}  // namespace theriac::pgwire
