#include "trace/numbers.hpp"

#include "seal/numbers.hpp"

namespace theriac::trace {

using crypto::Uint128;

Result<Numbers> Numbers::make(const NumberRule& rule, const seal::LeasedKey& key,
                              const TenantId& tenant, const FieldId& pool) {
  THERIAC_TRY(check(rule));
  const auto drawn = rule.length - static_cast<int>(rule.prefix.size());
  THERIAC_ASSIGN(auto order, seal::number_order(key, tenant, pool,
                                                static_cast<int>(rule.alphabet.size()), drawn));
  return Numbers(rule, std::move(order));
}

Status Numbers::draw(std::uint64_t first, std::size_t count, std::vector<std::string>& out) {
  if (first > rule_.capacity || count > rule_.capacity - first) {
    return fail(Code::kOutOfRange, "the pool's capacity");
  }
  texts_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Uint128 counter = first + i;
    texts_[i] = {counter / order_.right_count(), counter % order_.right_count()};
  }
  order_.encrypt(texts_);
  const auto radix = rule_.alphabet.size();
  const auto length = static_cast<std::size_t>(rule_.length);
  const auto middle = rule_.prefix.size() + (length - rule_.prefix.size()) / 2;
  for (const auto& text : texts_) {
    auto& serial = out.emplace_back(rule_.prefix);
    serial.resize(length);
    // Halves fit 64 bits for all but long numbers of large alphabets: dividing is then cheap.
    const auto write = [&](Uint128 value, std::size_t from, std::size_t to) {
      for (; to > from && (value >> 64U) != 0; value /= radix) {
        serial[--to] = rule_.alphabet[static_cast<std::size_t>(value % radix)];
      }
      for (auto rest = static_cast<std::uint64_t>(value); to > from; rest /= radix) {
        serial[--to] = rule_.alphabet[rest % radix];
      }
    };
    write(text.left, rule_.prefix.size(), middle);
    write(text.right, middle, length);
  }
  return {};
}

std::optional<std::uint64_t> Numbers::counter_of(std::string_view serial) {
  if (serial.size() != static_cast<std::size_t>(rule_.length) ||
      !serial.starts_with(rule_.prefix)) {
    return std::nullopt;
  }
  const auto drawn = serial.substr(rule_.prefix.size());
  crypto::Ff1Text text;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const auto digit = rule_.alphabet.find(drawn[i]);
    if (digit == std::string::npos) return std::nullopt;
    auto& half = i < drawn.size() / 2 ? text.left : text.right;
    half = half * rule_.alphabet.size() + digit;
  }
  order_.decrypt({&text, 1});
  // Compared in halves: the product can pass 128 bits.
  if (text.left > rule_.capacity / order_.right_count()) return std::nullopt;
  const auto counter = text.left * order_.right_count() + text.right;
  if (counter >= rule_.capacity) return std::nullopt;
  return static_cast<std::uint64_t>(counter);
}

}  // namespace theriac::trace
