// Errors as RFC 9457 problem details (application/problem+json).
//
// Of an Error the type is "urn:theriac:error:NAME" with the code's stable name, also as member
// "code"; of a bare status it is "about:blank" (section 4.2.1). `where` names a place and never
// holds input (base/error.hpp); it is told for client errors alone, since for a 5xx it may name
// files of the server.
//
// Threading: free functions; a Texts is read from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace theriac::http {

/// Title and detail of a code in another language than English. Owned by the program.
class ProblemTexts {
 public:
  struct Text {
    std::string title;
    std::string detail;
  };
  virtual ~ProblemTexts() = default;
  /// Languages there are texts in, as primary subtags ("zh"), the preferred first.
  [[nodiscard]] virtual std::vector<std::string> languages() const = 0;
  [[nodiscard]] virtual std::optional<Text> find(Code code, std::string_view language) const = 0;
};

/// Which of `offered` (and "en", which is always there) an Accept-Language value asks for first
/// (RFC 9110, section 12.5.4, by primary subtag); "en" when it asks for none of them.
std::string choose_language(std::string_view accept_language,
                            const std::vector<std::string>& offered);

struct ProblemContext {
  std::string_view accept_language;     ///< the request's; may be empty
  std::string_view instance;            ///< the request's id; "": left out
  const ProblemTexts* texts = nullptr;  ///< nullptr: English only
};

Response problem_of(const Error& error, const ProblemContext& context = {});
/// `detail`: a fixed text of ours; "": left out.
Response problem_of_status(int status, std::string_view detail = {},
                           const ProblemContext& context = {});

}  // namespace theriac::http
