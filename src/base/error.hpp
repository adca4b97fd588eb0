// Typed errors. `Result<T>` is what everything that handles data returns; exceptions are for
// start-up and bugs only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace theriac {

enum class Code : std::uint8_t {
#define THERIAC_ERROR(name, sqlstate, http, what, remedy) k##name,
#include "base/error_codes.inc"
#undef THERIAC_ERROR
};

/// What the outside is told of a code; the only mapping there is.
struct CodeInfo {
  std::string_view name;      ///< stable, e.g. "LeaseExpired"
  std::string_view sqlstate;  ///< five characters
  int http;
  std::string_view what;
  std::string_view remedy;
};
const CodeInfo& info_of(Code code);
inline constexpr std::size_t kCodeCount = 0
#define THERIAC_ERROR(name, sqlstate, http, what, remedy) +1
#include "base/error_codes.inc"
#undef THERIAC_ERROR
    ;

/// `where` names a place: a file, line, configuration key, column, entry number or function.
/// It never holds text taken from a secret, a stored value or a client's input.
struct Error {
  Code code = Code::kInternal;
  std::string where;

  /// "what (where); remedy", one line.
  [[nodiscard]] std::string message() const;
  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Code code, std::string where = {}) {
  return tl::unexpected<Error>(Error{code, std::move(where)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

/// Stops the program: for states that input can never reach. Stays on in release.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace theriac

#define THERIAC_ASSERT(expression) \
  ((expression) ? void() : ::theriac::assertion_failed(#expression, __FILE__, __LINE__))

/// Returns the error of `expression` (a Result) from the calling function, if it has one.
#define THERIAC_TRY(expression)                                       \
  do {                                                                \
    if (auto theriac_try_ = (expression); !theriac_try_) [[unlikely]] \
      return ::theriac::fail(std::move(theriac_try_.error()));        \
  } while (false)
#define THERIAC_CONCAT_(a, b) a##b
#define THERIAC_CONCAT(a, b) THERIAC_CONCAT_(a, b)
/// THERIAC_ASSIGN(auto x, f()); binds the value or returns the error.
#define THERIAC_ASSIGN(target, expression)                                                \
  auto THERIAC_CONCAT(theriac_result_, __LINE__) = (expression);                          \
  if (!THERIAC_CONCAT(theriac_result_, __LINE__)) [[unlikely]]                            \
    return ::theriac::fail(std::move(THERIAC_CONCAT(theriac_result_, __LINE__).error())); \
  target = std::move(*THERIAC_CONCAT(theriac_result_, __LINE__))
