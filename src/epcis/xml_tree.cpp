#include "epcis/xml_tree.hpp"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <set>
#include <span>

#include "epcis/limits.hpp"

namespace theriac::epcis {

namespace {

using OnEvent = std::function<bool(Element&&)>;

constexpr std::string_view kInstance = "http://www.w3.org/2001/XMLSchema-instance";
constexpr std::string_view kSchema = "http://www.w3.org/2001/XMLSchema";

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);  // NOLINT
}

/// Where it does not substitute entities, which it is never asked to, libxml2 hands every ampersand
/// of an attribute or a namespace over as a reference.
std::string with_ampersands(std::string_view value) {
  constexpr std::string_view kReference = "&#38;";
  std::string out;
  for (std::size_t at = value.find(kReference); at != std::string_view::npos;
       at = value.find(kReference)) {
    out += value.substr(0, at + 1);
    value.remove_prefix(at + kReference.size());
  }
  return out += value;
}

class Scanner {
 public:
  /// Without `on_event` the document is built and the events are passed over; with it the reverse.
  explicit Scanner(const OnEvent* on_event) : on_event_(on_event) {}

  Status scan(std::string_view text);
  XmlDocument take() { return std::move(document_); }

  void start(std::string_view name, std::string_view prefix, std::string_view ns,
             std::span<const xmlChar* const> namespaces,
             std::span<const xmlChar* const> attributes);
  void end();
  void characters(std::string_view text);
  void doctype(bool external) {
    document_.doctype = true;
    if (external) refuse(Code::kMalformed, "XML: external DTD");
  }
  void refuse(Code code, const char* what);
  /// Line and all of the parser's own complaint.
  void malformed() { refuse(Code::kMalformed, "XML"); }

 private:
  [[nodiscard]] bool inside_list() const { return list_depth_ != 0; }
  [[nodiscard]] bool building() const { return inside_list() == (on_event_ != nullptr); }
  bool count(std::size_t more);
  [[nodiscard]] bool is_event_list() const;
  void bind(std::span<const xmlChar* const> namespaces);
  void add_attributes(Element& element, std::span<const xmlChar* const> attributes);
  [[nodiscard]] Scalar type_of(std::string_view qualified) const;

  const OnEvent* on_event_;
  xmlParserCtxtPtr parser_ = nullptr;
  XmlDocument document_;
  Element event_;
  std::vector<Element*> stack_;     // elements being built; stable, only the last one grows
  std::vector<std::string> path_;   // local names of all open elements
  std::vector<std::size_t> bound_;  // how many bindings each open element added
  std::vector<Namespace> bindings_;
  std::set<std::string> prefixes_;  // of document_.namespaces
  std::size_t list_depth_ = 0;      // path_.size() of EventList and <extension>s in it; 0: outside
  std::size_t nodes_ = 0;
  std::size_t events_ = 0;
  bool stopped_ = false;
  Error error_;
};

void Scanner::refuse(Code code, const char* what) {
  if (!stopped_) {
    const int line = parser_->input == nullptr ? 0 : parser_->input->line;
    error_ = {code, std::string(what) + ", line " + std::to_string(line)};
  }
  stopped_ = true;
  xmlStopParser(parser_);
}

bool Scanner::count(std::size_t more) {
  nodes_ += more;
  if (nodes_ <= kNodesMax) return true;
  refuse(Code::kTooLarge, "XML: elements");
  return false;
}

bool Scanner::is_event_list() const {
  if (path_.back() != "EventList") return false;
  if (path_.size() == 3) return path_[1] == "EPCISBody";
  return path_.size() == 5 && path_[1] == "EPCISBody" && path_[2] == "QueryResults" &&
         path_[3] == "resultsBody";
}

void Scanner::bind(std::span<const xmlChar* const> namespaces) {
  bound_.push_back(namespaces.size() / 2);
  for (std::size_t i = 0; i + 1 < namespaces.size(); i += 2) {
    Namespace one{std::string(view(namespaces[i])), with_ampersands(view(namespaces[i + 1]))};
    if (one.uri.size() > kNameBytesMax || bindings_.size() >= kNamespacesMax) {
      return refuse(Code::kTooLarge, "XML: namespaces");
    }
    const bool room = document_.namespaces.size() < kNamespacesMax;
    if (room && prefixes_.insert(one.prefix).second) document_.namespaces.push_back(one);
    bindings_.push_back(std::move(one));
  }
}

Scalar Scanner::type_of(std::string_view qualified) const {
  qualified = trimmed(qualified);
  const std::size_t colon = qualified.find(':');
  const bool prefixed = colon != std::string_view::npos;
  const std::string_view prefix = prefixed ? qualified.substr(0, colon) : std::string_view();
  const auto found = std::find_if(bindings_.rbegin(), bindings_.rend(),
                                  [&](const Namespace& one) { return one.prefix == prefix; });
  if (found == bindings_.rend() || found->uri != kSchema) return Scalar::kText;
  return scalar_of(prefixed ? qualified.substr(colon + 1) : qualified);
}

void Scanner::add_attributes(Element& element, std::span<const xmlChar* const> attributes) {
  // Each is five pointers: name, prefix, namespace, value, end of value.
  for (std::size_t i = 0; i + 4 < attributes.size(); i += 5) {
    const std::string_view ns = view(attributes[i + 2]);
    const auto size = static_cast<std::size_t>(attributes[i + 4] - attributes[i + 3]);
    const std::string_view value(reinterpret_cast<const char*>(attributes[i + 3]), size);  // NOLINT
    if (value.size() > kTextBytesMax) return refuse(Code::kTooLarge, "XML: attribute");
    if (ns.empty() && attributes[i + 1] != nullptr) {
      return refuse(Code::kMalformed, "XML: prefix");
    }
    if (ns == kInstance) {
      if (view(attributes[i]) == "type") element.type = type_of(value);
      // Of the standard's fields only a quantity may be nil.
      const bool nil = view(attributes[i]) == "nil" && (value == "true" || value == "1");
      if (nil && element.name == "quantity") element.type = Scalar::kNull;
      continue;
    }
    element.attributes.push_back(
        {with_ampersands(ns), std::string(view(attributes[i])), with_ampersands(value)});
  }
}

void Scanner::start(std::string_view name, std::string_view prefix, std::string_view ns,
                    std::span<const xmlChar* const> namespaces,
                    std::span<const xmlChar* const> attributes) {
  if (stopped_) return;
  if (path_.size() >= kDepthMax) return refuse(Code::kTooLarge, "XML: depth");
  // JSON's names have the prefix with them.
  if (name.size() + kPrefixBytesMax >= kNameBytesMax) return refuse(Code::kTooLarge, "XML: name");
  if (ns.empty() && !prefix.empty()) return refuse(Code::kMalformed, "XML: prefix");
  bind(namespaces);
  const bool in_list = inside_list() && path_.size() == list_depth_;
  path_.emplace_back(name);
  if (in_list && name == "extension" && ns.empty()) {  // EPCIS 1.x: events are inside
    list_depth_ = path_.size();
    return;
  }
  if (in_list) {
    nodes_ = 0;
    if (++events_ > kEventsMax) return refuse(Code::kTooLarge, "XML: events");
  }
  if (building()) {
    if (!count(1 + attributes.size() / 5)) return;
    Element* element = &event_;
    if (!stack_.empty()) {
      element = &stack_.back()->children.emplace_back();
    } else if (on_event_ == nullptr) {
      element = &document_.root;
    } else {
      event_ = {};
    }
    element->ns = with_ampersands(ns);
    element->name = name;
    add_attributes(*element, attributes);
    stack_.push_back(element);
  }
  if (!inside_list() && is_event_list()) list_depth_ = path_.size();
}

void Scanner::end() {
  if (stopped_) return;
  const std::size_t depth = path_.size();
  const bool is_wrapper = depth == list_depth_ && path_.back() == "extension";
  path_.pop_back();
  bindings_.resize(bindings_.size() - bound_.back());
  bound_.pop_back();
  if (is_wrapper) {
    --list_depth_;
    return;
  }
  if (depth == list_depth_) list_depth_ = 0;
  if (!building()) return;
  Element& done = *stack_.back();
  stack_.pop_back();
  if (!done.children.empty()) done.text = trimmed(std::string(done.text));
  if (stack_.empty() && on_event_ != nullptr && !(*on_event_)(std::move(event_))) {
    stopped_ = true;
    xmlStopParser(parser_);
  }
}

void Scanner::characters(std::string_view text) {
  if (stopped_ || stack_.empty() || !building()) return;
  std::string& out = stack_.back()->text;
  if (out.size() + text.size() > kTextBytesMax) return refuse(Code::kTooLarge, "XML: text");
  out += text;
}

// The parser's C interface. Its arrays' lengths come apart from them.
Scanner& scanner(void* context) { return *static_cast<Scanner*>(context); }

void on_start(void* context, const xmlChar* name, const xmlChar* prefix, const xmlChar* ns,
              int namespace_count, const xmlChar** namespaces, int attribute_count, int,
              const xmlChar** attributes) {
  scanner(context).start(view(name), view(prefix), view(ns),
                         {namespaces, static_cast<std::size_t>(namespace_count) * 2},
                         {attributes, static_cast<std::size_t>(attribute_count) * 5});
}
void on_end(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
  scanner(context).end();
}
void on_characters(void* context, const xmlChar* text, int size) {
  scanner(context).characters(view(text).substr(0, static_cast<std::size_t>(size)));
}
void on_doctype(void* context, const xmlChar*, const xmlChar* public_id, const xmlChar* system_id) {
  scanner(context).doctype(public_id != nullptr || system_id != nullptr);
}
void refuse_declaration(void* context) {
  scanner(context).refuse(Code::kMalformed, "XML: declarations");
}
void on_error(void* context, xmlErrorPtr error) {
  // Relative namespace names and the like are only warnings.
  if (error->level == XML_ERR_FATAL || error->code == XML_NS_ERR_UNDEFINED_NAMESPACE) {
    scanner(context).malformed();
  }
}

xmlSAXHandler handler() {
  xmlSAXHandler out{};
  out.initialized = XML_SAX2_MAGIC;
  out.startElementNs = on_start;
  out.endElementNs = on_end;
  out.characters = on_characters;
  out.ignorableWhitespace = on_characters;
  out.cdataBlock = on_characters;
  out.serror = on_error;
  out.internalSubset = on_doctype;
  out.reference = [](void* context, const xmlChar*) { refuse_declaration(context); };
  out.entityDecl = [](void* context, const xmlChar*, int, const xmlChar*, const xmlChar*,
                      xmlChar*) { refuse_declaration(context); };
  out.notationDecl = [](void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
    refuse_declaration(context);
  };
  out.unparsedEntityDecl = [](void* context, const xmlChar*, const xmlChar*, const xmlChar*,
                              const xmlChar*) { refuse_declaration(context); };
  out.elementDecl = [](void* context, const xmlChar*, int, xmlElementContentPtr) {
    refuse_declaration(context);
  };
  out.attributeDecl = [](void* context, const xmlChar*, const xmlChar*, int, int, const xmlChar*,
                         xmlEnumerationPtr tree) {
    xmlFreeEnumeration(tree);  // the handler owns it
    refuse_declaration(context);
  };
  return out;
}

/// Some of libxml2's complaints (of encodings) go past the parser's own handler, to standard error
/// and with bytes of the input. Its global handler is the thread's.
class Silence {
 public:
  Silence() : handler_(xmlStructuredError), context_(xmlStructuredErrorContext) {
    xmlSetStructuredErrorFunc(nullptr, [](void*, xmlErrorPtr) {});
  }
  ~Silence() { xmlSetStructuredErrorFunc(context_, handler_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  xmlStructuredErrorFunc handler_;
  void* context_;
};

/// Encodings in which the bytes of ASCII are nothing else, so that tags can be found in them.
bool is_plain_encoding(std::string_view text) {
  const auto declaration = text.substr(0, text.find("?>"));
  const auto at = declaration.find("encoding");
  if (!declaration.starts_with("<?xml") || at == std::string_view::npos) return true;
  const auto quote = declaration.find_first_of("\"'", at);
  if (quote == std::string_view::npos) return true;  // the parser will say it
  std::string name(declaration.substr(quote + 1, 16));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  constexpr std::string_view kPlain[] = {"UTF-8", "US-ASCII", "ISO-8859-", "WINDOWS-125", "GB"};
  return std::ranges::any_of(kPlain, [&](std::string_view one) { return name.starts_with(one); });
}

/// One past the end of what begins at `at` with `opens` and ends with `closes`; 0: it does not
/// begin there.
std::size_t past(std::string_view text, std::size_t at, std::string_view opens,
                 std::string_view closes) {
  if (text.substr(at, opens.size()) != opens) return 0;
  const auto end = text.find(closes, at + opens.size());
  return end == std::string_view::npos ? text.size() : end + closes.size();
}

/// libxml2 compares each attribute of an element with all before it: they are counted first.
bool has_few_attributes(std::string_view text) {
  for (auto at = text.find('<'); at < text.size(); at = text.find('<', at)) {
    auto end = past(text, at, "<!--", "-->");
    if (end == 0) end = past(text, at, "<![CDATA[", "]]>");
    if (end == 0) end = past(text, at, "<?", "?>");
    if (end != 0) {
      at = end;
      continue;
    }
    std::size_t attributes = 0;
    for (++at; at < text.size() && text[at] != '>'; ++at) {
      if (text[at] != '"' && text[at] != '\'') continue;
      if (++attributes > kAttributesMax) return false;
      at = std::min(text.find(text[at], at + 1), text.size() - 1);
    }
  }
  return true;
}

Status Scanner::scan(std::string_view text) {
  if (text.size() > kDocumentBytesMax) return fail(Code::kTooLarge, "XML: document");
  static const bool ready = [] {
    xmlInitParser();
    return true;
  }();
  if (!ready || text.empty()) return fail(Code::kMalformed, "XML: empty");
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  const auto plain = text.substr(text.starts_with(kMark) ? kMark.size() : 0);
  const bool readable = trimmed(plain).starts_with('<') && plain.find('\0') == plain.npos;
  if (!readable || !is_plain_encoding(plain)) return fail(Code::kMalformed, "XML: encoding");
  if (!has_few_attributes(plain)) return fail(Code::kTooLarge, "XML: attributes");
  const Silence silence;
  parser_ = xmlCreateMemoryParserCtxt(text.data(), static_cast<int>(text.size()));
  if (parser_ == nullptr) return fail(Code::kMalformed, "XML: line 1");
  xmlSAXHandler callbacks = handler();
  *parser_->sax = callbacks;
  parser_->userData = this;
  xmlCtxtUseOptions(parser_, XML_PARSE_NONET);
  xmlParseDocument(parser_);
  const bool good = parser_->wellFormed == 1 && path_.empty();
  if (!good && !stopped_) malformed();
  xmlFreeDoc(parser_->myDoc);  // libxml2 makes one for itself where there are declarations
  xmlFreeParserCtxt(parser_);
  parser_ = nullptr;
  if (!error_.where.empty()) return fail(error_);
  return {};
}

}  // namespace

Result<XmlDocument> scan_xml_document(std::string_view text) {
  Scanner out(nullptr);
  THERIAC_TRY(out.scan(text));
  return out.take();
}

Status scan_xml_events(std::string_view text, const std::function<bool(Element&&)>& on_event) {
  Scanner out(&on_event);
  return out.scan(text);
}

}  // namespace theriac::epcis
