#include "policy/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_set>

namespace theriac::policy {
namespace {

/// Stops yaml-cpp's parser from inside a callback; never leaves this file.
struct Refused {
  std::size_t line;
  const char* what;
};

std::size_t line_of(const YAML::Mark& mark) {
  return mark.line < 0 ? 1 : static_cast<std::size_t>(mark.line) + 1;
}

/// Builds the tree out of parser events. yaml-cpp's own nodes would hide aliases and doubled keys.
class Builder final : public YAML::EventHandler {
 public:
  [[nodiscard]] bool complete() const { return documents_ == 1 && open_.empty(); }
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Refused{line_of(mark), "a second document"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    plain(mark, "", anchor);
    YamlNode node;
    node.line = line_of(mark);
    place(std::move(node));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{line_of(mark), "aliases are not accepted"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    plain(mark, tag, anchor);
    YamlNode node;
    node.line = line_of(mark);
    node.text = value;
    node.quoted = tag == "!";
    place(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    YamlNode node;
    std::string key;
    bool has_key = false;
    std::unordered_set<std::string> keys;
  };

  static void plain(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) throw Refused{line_of(mark), "anchors are not accepted"};
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Refused{line_of(mark), "tags are not accepted"};
    }
  }

  void start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             YamlNode::Kind kind) {
    plain(mark, tag, anchor);
    if (open_.size() >= kYamlDepthMax) throw Refused{line_of(mark), "nested too deep"};
    if (!open_.empty() && expects_key()) throw Refused{line_of(mark), "a key must be a text"};
    Open open;
    open.node.kind = kind;
    open.node.line = line_of(mark);
    open_.push_back(std::move(open));
  }

  void end() {
    auto node = std::move(open_.back().node);
    open_.pop_back();
    place(std::move(node));
  }

  [[nodiscard]] bool expects_key() const {
    return open_.back().node.kind == YamlNode::Kind::kMap && !open_.back().has_key;
  }

  void place(YamlNode node) {
    if (++nodes_ > kYamlNodesMax) throw Refused{node.line, "too many entries"};
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& open = open_.back();
    if (expects_key()) {
      if (!open.keys.insert(node.text).second) throw Refused{node.line, "a key stands here twice"};
      open.key = std::move(node.text);
      open.has_key = true;
      return;
    }
    open.has_key = false;
    node.key = std::exchange(open.key, {});
    open.node.items.push_back(std::move(node));
  }

  YamlNode root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

tl::unexpected<Error> invalid(std::string_view file, std::size_t line, std::string_view what) {
  return fail(Code::kPolicyInvalid, fmt::format("{}:{}: {}", file, line, what));
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view name) const {
  for (const auto& node : items) {
    if (node.key == name) return &node;
  }
  return nullptr;
}

Result<YamlNode> parse_yaml(std::string_view text, std::string_view file_name) {
  // yaml-cpp takes a NUL for the end of input, and what follows would be silently ignored.
  if (text.find('\0') != std::string_view::npos) return invalid(file_name, 1, "a zero byte");
  Builder builder;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused& refused) {
    return invalid(file_name, refused.line, refused.what);
  } catch (const YAML::Exception& broken) {
    return invalid(file_name, line_of(broken.mark), "not well-formed YAML");
  }
  if (!builder.complete()) return invalid(file_name, 1, "empty");
  return builder.take();
}

}  // namespace theriac::policy
