#include "epcis/xml_writer.hpp"

#include "epcis/element.hpp"

namespace theriac::epcis {

void XmlWriter::close_tag() {
  if (in_tag_) out_ += '>';
  in_tag_ = false;
}

void XmlWriter::begin(std::string_view name) {
  close_tag();
  const std::size_t colon = name.find(':');
  const bool good = colon == std::string_view::npos
                        ? is_xml_name(name)
                        : is_xml_name(name.substr(0, colon)) && is_xml_name(name.substr(colon + 1));
  if (!good) impossible_ = true;
  out_ += '<';
  out_ += name;
  open_.emplace_back(name);
  in_tag_ = true;
}

void XmlWriter::attribute(std::string_view name, std::string_view value) {
  const std::size_t colon = name.find(':');
  if (!is_xml_name(colon == std::string_view::npos ? name : name.substr(colon + 1))) {
    impossible_ = true;
  }
  out_ += ' ';
  out_ += name;
  out_ += "=\"";
  escape(value, true);
  out_ += '"';
}

void XmlWriter::text(std::string_view value) {
  if (value.empty()) return;
  close_tag();
  escape(value, false);
}

void XmlWriter::end() {
  if (in_tag_) {
    out_ += "/>";
    in_tag_ = false;
  } else {
    out_ += "</" + open_.back() + ">";
  }
  open_.pop_back();
}

void XmlWriter::escape(std::string_view value, bool attribute) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    switch (c) {
      case '&':
        out_ += "&amp;";
        break;
      case '<':
        out_ += "&lt;";
        break;
      case '>':
        out_ += "&gt;";
        break;
      case '"':
        out_ += attribute ? "&quot;" : "\"";
        break;
      case '\r':  // both would be read back as other white space
        out_ += "&#13;";
        break;
      case '\n':
        out_ += attribute ? "&#10;" : "\n";
        break;
      case '\t':
        out_ += attribute ? "&#9;" : "\t";
        break;
      default:
        // XML 1.0 has no other control characters, and neither U+FFFE nor U+FFFF.
        if (static_cast<unsigned char>(c) < 0x20 || value.substr(i).starts_with("\xef\xbf\xbe") ||
            value.substr(i).starts_with("\xef\xbf\xbf")) {
          impossible_ = true;
        }
        out_ += c;
    }
  }
}

}  // namespace theriac::epcis
