#include "gs1/coupon.hpp"

#include "gs1/lint.hpp"

namespace theriac::gs1 {
namespace {

/// Reads fields one behind the other; once something was wrong, nothing more is read.
class Fields {
 public:
  explicit Fields(std::string_view text) : text_(text) {
    for (std::size_t i = 0; i < text.size() && !fault_; ++i) {
      if (!is_digit(text[i])) fault_ = Fault{FaultCode::kNotDigits, i, {}, {}, 0, 0};
    }
  }

  /// A digit out of `choices`, '0' if none is there.
  char one_of(std::string_view choices) {
    if (fault_ || at_ == text_.size() || !choices.contains(text_[at_])) return fail(), '0';
    return text_[at_++];
  }
  std::string_view skip(std::size_t count) {
    if (fault_ || text_.size() - at_ < count) return fail(), std::string_view();
    at_ += count;
    return text_.substr(at_ - count, count);
  }
  /// A length out of `choices` and as many digits, and `more`.
  void sized(std::string_view choices, std::size_t more) {
    const char length = one_of(choices);
    skip(static_cast<std::size_t>(length - '0') + more);
  }
  /// The number of an optional field, if it comes next.
  bool field(char number) {
    if (fault_ || at_ == text_.size() || text_[at_] != number) return false;
    ++at_;
    return true;
  }
  std::string_view date() {
    const auto text = skip(6);
    if (fault_) return {};
    if (lint(Linter::kDate, text)) at_ -= 6, fail();
    return text;
  }
  void fail() {
    if (!fault_) fault_ = Fault{FaultCode::kCoupon, at_, {}, {}, 0, 0};
  }
  std::optional<Fault> end() {
    if (at_ != text_.size()) fail();
    return fault_;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<Fault> fault_;
};

constexpr std::string_view kAny = "0123456789";
constexpr std::string_view kPurchaseCodes = "012349";

/// Requirement, its code and the family code.
void purchase(Fields& fields) {
  fields.sized("12345", 0);
  fields.one_of(kPurchaseCodes);
  fields.skip(3);
}

/// Its company prefix, where 9 stands for the coupon's own.
void purchase_prefix(Fields& fields) {
  const char length = fields.one_of("01234569");
  if (length != '9') fields.skip(static_cast<std::size_t>(length - '0') + 6);
}

}  // namespace

std::optional<Fault> lint_coupon(std::string_view text) {
  Fields fields(text);
  fields.sized("0123456", 6);  // company prefix
  fields.skip(6);              // offer
  fields.sized("12345", 0);    // save value
  purchase(fields);
  if (fields.field('1')) {
    fields.one_of("0123");  // additional purchase rules
    purchase(fields);
    purchase_prefix(fields);
  }
  if (fields.field('2')) {
    purchase(fields);
    purchase_prefix(fields);
  }
  std::string_view expiry;
  if (fields.field('3')) expiry = fields.date();
  if (fields.field('4')) {
    const auto start = fields.date();
    if (!expiry.empty() && start > expiry) fields.fail();
  }
  if (fields.field('5')) fields.sized(kAny, 6);       // serial
  if (fields.field('6')) fields.sized("1234567", 6);  // retailer
  if (fields.field('9')) {
    fields.one_of("01256");  // save value code
    fields.one_of("012");    // item that it applies to
    fields.one_of(kAny);     // store coupon
    fields.one_of("01");     // not to be multiplied
  }
  return fields.end();
}

std::optional<Fault> lint_coupon_offer(std::string_view text) {
  Fields fields(text);
  fields.one_of("01");         // format
  fields.sized("0123456", 6);  // funder
  fields.skip(6);              // offer
  fields.sized(kAny, 6);       // serial
  return fields.end();
}

}  // namespace theriac::gs1
