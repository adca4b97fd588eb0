#include "epcis/json_tree.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "epcis/limits.hpp"

namespace theriac::epcis {

namespace {

using Json = nlohmann::json;
using OnEvent = std::function<bool(Element&&)>;

class Scanner final : public nlohmann::json_sax<Json> {
 public:
  /// Without `on_event` the document is built and the events are passed over; with it the reverse.
  explicit Scanner(const OnEvent* on_event) : on_event_(on_event) {}

  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] bool stopped() const { return stopped_; }
  Element take() { return std::move(root_); }

  bool null() override { return scalar(Scalar::kNull, {}); }
  bool boolean(bool value) override { return scalar(Scalar::kBoolean, value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return scalar(Scalar::kInteger, std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return scalar(Scalar::kInteger, std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    const bool whole = text.find_first_of(".eE") == string_t::npos;
    return scalar(whole ? Scalar::kInteger : Scalar::kDouble, text);
  }
  bool string(string_t& value) override {
    if (value.size() > kTextBytesMax) return too_large("text");
    return scalar(Scalar::kText, std::move(value));
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Scalar::kObject); }
  bool start_array(std::size_t) override { return open(Scalar::kArray); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (name.size() > kNameBytesMax) return too_large("name");
    path_.back().key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& what) override {
    // The library's message quotes the input, so only its position is passed on.
    constexpr int kNumberOverflow = 406;
    error_ = {what.id == kNumberOverflow ? Code::kOutOfRange : Code::kMalformed,
              "JSON: byte " + std::to_string(position)};
    return false;
  }

 private:
  /// An open container and the key of the member that is read in it.
  struct Open {
    Scalar type;
    std::string key;
  };

  bool too_large(const char* what) {
    error_ = {Code::kTooLarge, std::string("JSON: ") + what};
    return false;
  }
  [[nodiscard]] bool inside_list() const { return list_depth_ != 0; }
  [[nodiscard]] bool building() const { return inside_list() == (on_event_ != nullptr); }

  /// Whether the innermost container, just opened, is the list of events.
  [[nodiscard]] bool is_event_list() const {
    const auto key = [&](std::size_t i, std::string_view name) {
      return path_[i].type == Scalar::kObject && path_[i].key == name;
    };
    if (path_.size() == 3) return key(0, "epcisBody") && key(1, "eventList");
    return path_.size() == 5 && key(0, "epcisBody") && key(1, "queryResults") &&
           key(2, "resultsBody") && key(3, "eventList");
  }

  /// Every value comes through here before it is placed.
  bool count() {
    if (inside_list() && path_.size() == list_depth_) {
      nodes_ = 0;
      if (++events_ > kEventsMax) return too_large("events");
    }
    return !building() || ++nodes_ <= kNodesMax || too_large("values");
  }
  Element* place(Scalar type) {
    if (stack_.empty()) {
      root_ = {};
      root_.type = type;
      return &root_;
    }
    Element& parent = *stack_.back();
    Element& child = parent.children.emplace_back();
    child.type = type;
    if (parent.type == Scalar::kObject) child.name = path_.back().key;
    return &child;
  }
  bool scalar(Scalar type, std::string text) {
    if (!count()) return false;
    if (!building()) return true;
    place(type)->text = std::move(text);
    return !stack_.empty() || finished();
  }
  bool open(Scalar type) {
    if (path_.size() >= kDepthMax) return too_large("depth");
    if (!count()) return false;
    if (building()) stack_.push_back(place(type));
    path_.push_back({type, {}});
    if (type == Scalar::kArray && !inside_list() && is_event_list()) list_depth_ = path_.size();
    return true;
  }
  bool close() {
    if (path_.size() == list_depth_) list_depth_ = 0;
    path_.pop_back();
    if (!building()) return true;
    const Element& done = *stack_.back();
    stack_.pop_back();
    if (done.type == Scalar::kObject && !unique_members(done)) return false;
    return !stack_.empty() || finished();
  }
  bool finished() {
    if (on_event_ != nullptr && !(*on_event_)(std::move(root_))) stopped_ = true;
    return !stopped_;
  }
  bool unique_members(const Element& object) {
    std::vector<std::string_view> names;
    names.reserve(object.children.size());
    for (const Element& child : object.children) names.emplace_back(child.name);
    std::ranges::sort(names);
    if (std::ranges::adjacent_find(names) == names.end()) return true;
    error_ = {Code::kMalformed, "JSON: duplicate key"};
    if (inside_list()) error_.where += ", event " + std::to_string(events_);
    return false;
  }

  const OnEvent* on_event_;
  Element root_;
  std::vector<Element*> stack_;  // containers being built; stable, since only the last one grows
  std::vector<Open> path_;
  std::size_t list_depth_ = 0;  // path_.size() within the event list; 0: we are outside
  std::size_t nodes_ = 0;
  std::size_t events_ = 0;
  bool stopped_ = false;
  Error error_;
};

Status scan(std::string_view text, Scanner& scanner) {
  if (text.size() > kDocumentBytesMax) return fail(Code::kTooLarge, "JSON: document");
  if (!Json::sax_parse(text.begin(), text.end(), &scanner) && !scanner.stopped()) {
    return fail(scanner.error());
  }
  return {};
}

}  // namespace

Result<Element> scan_json_document(std::string_view text) {
  Scanner scanner(nullptr);
  THERIAC_TRY(scan(text, scanner));
  return scanner.take();
}

Status scan_json_events(std::string_view text, const std::function<bool(Element&&)>& on_event) {
  Scanner scanner(&on_event);
  return scan(text, scanner);
}

const Element* member(const Element& object, std::string_view name) {
  if (object.type != Scalar::kObject) return nullptr;
  const auto found = std::ranges::find(object.children, name, &Element::name);
  return found == object.children.end() ? nullptr : &*found;
}

}  // namespace theriac::epcis
