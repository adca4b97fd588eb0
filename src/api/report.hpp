// A report as one HTML page that prints well: no script, nothing fetched, every text escaped.
//
// Threading: an object belongs to its call.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/language.hpp"
#include "http/message.hpp"

namespace theriac::api {

class Report {
 public:
  Report(std::string_view title, Language language);
  /// A line of text under the title.
  void line(std::string_view text);
  void table(std::string_view caption, const std::vector<std::string>& heads,
             const std::vector<std::vector<std::string>>& rows);
  /// text/html with a policy that lets it do nothing.
  [[nodiscard]] http::Response response() &&;

 private:
  void text(std::string_view raw);
  void cells(const std::vector<std::string>& all, std::string_view tag);
  std::string html_;
};

}  // namespace theriac::api
