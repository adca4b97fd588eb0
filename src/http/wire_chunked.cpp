#include <algorithm>

#include "http/characters.hpp"
#include "http/wire.hpp"

namespace theriac::http {
namespace {

tl::unexpected<Refusal> refuse(const char* reason, int status = 400) {
  return tl::unexpected<Refusal>(Refusal{status, reason});
}

/// RFC 9110, section 6.5.1: a trailer may not say what had to be known before the body.
constexpr std::array<std::string_view, 5> kNoTrailers{"Content-Length", "Transfer-Encoding", "Host",
                                                      "Authorization", "Trailer"};

std::optional<unsigned> digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (lower(c) >= 'a' && lower(c) <= 'f') return static_cast<unsigned>(lower(c) - 'a' + 10);
  return std::nullopt;
}

}  // namespace

Wire<ChunkedDecoder::Step> ChunkedDecoder::feed(ByteView in) {
  Step step;
  while (step.consumed < in.size() && state_ != State::kDone) {
    if (state_ == State::kData) {
      const auto rest = in.subspan(step.consumed);
      step.data = rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size())));
      step.consumed += step.data.size();
      left_ -= step.data.size();
      if (left_ == 0) state_ = State::kDataCr;
      return step;
    }
    const auto taken = take(static_cast<char>(in[step.consumed]));
    if (!taken) return tl::unexpected<Refusal>(taken.error());
    ++step.consumed;
  }
  return step;
}

Wire<void> ChunkedDecoder::take(char byte) {
  const auto expect = [&](char wanted, State next) -> Wire<void> {
    if (byte != wanted) return refuse("chunk line end");
    state_ = next;
    return {};
  };
  switch (state_) {
    case State::kSize:
      return take_size(byte);
    case State::kExtension:
      if (++extension_bytes_ > kChunkExtensionBytesMax) return refuse("chunk extension", 431);
      if (byte == '\r') {
        state_ = State::kSizeLf;
      } else if (!is_kind(byte, kInLine)) {
        return refuse("chunk extension");
      }
      return {};
    case State::kSizeLf:
      digits_ = 0;
      return expect('\n', left_ > 0 ? State::kData : State::kTrailerBegin);
    case State::kDataCr:
      return expect('\r', State::kDataLf);
    case State::kDataLf:
      return expect('\n', State::kSize);
    case State::kEndLf:
      return expect('\n', State::kDone);
    case State::kData:
    case State::kDone:
      return {};
    case State::kTrailerBegin:
    case State::kTrailerName:
    case State::kTrailerValue:
    case State::kTrailerLf:
      return take_trailer(byte);
  }
  return {};
}

// chunk-size = 1*HEXDIG and nothing about it; the ";" of an extension follows at once.
Wire<void> ChunkedDecoder::take_size(char byte) {
  if (const auto digit = digit_of(byte)) {
    if (++digits_ > kChunkSizeDigitsMax) return refuse("chunk size");
    left_ = left_ << 4U | *digit;
    return {};
  }
  if (digits_ == 0) return refuse("chunk size");
  if (byte == ';') {
    state_ = State::kExtension;
  } else if (byte == '\r') {
    state_ = State::kSizeLf;
  } else {
    return refuse("chunk size");
  }
  return {};
}

Wire<void> ChunkedDecoder::take_trailer(char byte) {
  if (++trailer_bytes_ > kTrailerBytesMax) return refuse("trailer too long", 431);
  if (state_ == State::kTrailerBegin) {
    trailer_name_.clear();
    state_ = byte == '\r' ? State::kEndLf : State::kTrailerName;
    if (byte == '\r') return {};
  }
  if (state_ == State::kTrailerName) {
    if (byte != ':') {
      if (!is_kind(byte, kTokenCharacter)) return refuse("trailer");
      trailer_name_ += byte;
      return {};
    }
    const auto forbidden = [this](std::string_view name) {
      return same_token(name, trailer_name_);
    };
    if (trailer_name_.empty() || std::ranges::any_of(kNoTrailers, forbidden)) {
      return refuse("trailer");
    }
    state_ = State::kTrailerValue;
  } else if (state_ == State::kTrailerValue) {
    if (byte == '\r') {
      state_ = State::kTrailerLf;
    } else if (!is_kind(byte, kInLine)) {
      return refuse("trailer");
    }
  } else {
    if (byte != '\n') return refuse("trailer");
    state_ = State::kTrailerBegin;
  }
  return {};
}

}  // namespace theriac::http
