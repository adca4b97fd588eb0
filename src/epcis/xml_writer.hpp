// XML text piece by piece: escapes and closing tags are its business, what is written the caller's.
// What XML cannot hold (control characters, names that are none) is noted, not written.
//
// Threading: one writer's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace theriac::epcis {

class XmlWriter {
 public:
  explicit XmlWriter(std::string declaration) : out_(std::move(declaration)) {}

  /// `<name`, open for attributes until something else follows.
  void begin(std::string_view name);
  void attribute(std::string_view name, std::string_view value);
  void text(std::string_view value);
  void end();

  void leaf(std::string_view name, std::string_view value) {
    begin(name);
    text(value);
    end();
  }
  /// The text that cannot be in XML came along; the caller refuses to write the document.
  [[nodiscard]] bool impossible() const { return impossible_; }
  void set_impossible() { impossible_ = true; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void close_tag();
  void escape(std::string_view value, bool attribute);

  std::string out_;
  std::vector<std::string> open_;
  bool in_tag_ = false;
  bool impossible_ = false;
};

}  // namespace theriac::epcis
