#include "label/svg.hpp"

#include <gtest/gtest.h>
#include <libxml/parser.h>

#include <cmath>
#include <memory>
#include <set>

#include "label/testing.hpp"

namespace theriac::label {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

/// Texts of a document that libxml2 takes; fails the test for elements or attributes that ours has
/// not.
std::vector<std::string> texts_of(const std::string& svg) {
  const std::unique_ptr<xmlDoc, void (*)(xmlDoc*)> document(
      xmlReadMemory(svg.data(), static_cast<int>(svg.size()), nullptr, "UTF-8", XML_PARSE_NONET),
      xmlFreeDoc);
  EXPECT_NE(document, nullptr) << svg;
  if (!document) return {};
  const auto name_of = [](const xmlChar* name) {
    return std::string(reinterpret_cast<const char*>(name));  // NOLINT
  };
  const std::set<std::string> elements{"rect", "path", "line", "text"};
  const std::set<std::string> attributes{"x",
                                         "y",
                                         "x1",
                                         "y1",
                                         "x2",
                                         "y2",
                                         "width",
                                         "height",
                                         "fill",
                                         "d",
                                         "transform",
                                         "shape-rendering",
                                         "textLength",
                                         "stroke",
                                         "stroke-width",
                                         "lengthAdjust",
                                         "space",
                                         "stroke-linecap",
                                         "font-size",
                                         "font-weight"};
  std::vector<std::string> out;
  const xmlNode* const root = xmlDocGetRootElement(document.get());
  EXPECT_EQ(name_of(root->name), "svg");
  for (const xmlNode* node = root->children; node != nullptr; node = node->next) {
    if (node->type == XML_TEXT_NODE) continue;  // line ends
    EXPECT_EQ(node->type, XML_ELEMENT_NODE);
    EXPECT_TRUE(elements.contains(name_of(node->name))) << name_of(node->name);
    for (const xmlAttr* at = node->properties; at != nullptr; at = at->next) {
      EXPECT_TRUE(attributes.contains(name_of(at->name))) << name_of(at->name);
    }
    if (name_of(node->name) != "text") continue;
    xmlChar* const content = xmlNodeGetContent(node);
    out.push_back(name_of(content));
    xmlFree(content);
    EXPECT_EQ(node->children->next, nullptr) << "markup inside a text";
  }
  return out;
}

std::vector<std::string> texts_of(const Drawing& drawing) {
  std::vector<std::string> out;
  for (const PlacedText& placed : parts_of(drawing.icons).letters) out.push_back(placed.text);
  for (const PlacedText& placed : drawing.texts) out.push_back(placed.text);
  return out;
}

TEST(Svg, IsWellFormedAndReadsBack) {
  for (const Carrier carrier :
       {Carrier::kDataMatrix, Carrier::kGs1128, Carrier::kQrLink, Carrier::kGs1Qr}) {
    const auto made = label_of("(01)09504000059101(17)271231(10)AB12C", carrier, TextForm::kDevice);
    const auto text = svg(made.drawing);
    ASSERT_TRUE(text);
    EXPECT_EQ(texts_of(*text), texts_of(made.drawing));
    const PlacedSymbol& placed = made.drawing.symbols[0];
    EXPECT_EQ(decode(cut(render_svg(*text, 300), placed, 300)),
              scanned(made.elements, placed.symbol));
  }
}

TEST(Svg, TextsOfUsersStayTexts) {
  for (const std::string& hostile : hostile_texts()) {
    Drawing drawing{40, 20, {}, {}, {}};
    drawing.texts.push_back({hostile, {1, 5}, 2.5, false});
    const auto text = svg(drawing);
    ASSERT_TRUE(text);
    EXPECT_EQ(texts_of(*text), std::vector{hostile});
  }
}

TEST(Svg, RefusesWhatXmlCannotHold) {
  const auto with = [](std::string text) {
    Drawing drawing{40, 20, {}, {}, {}};
    drawing.texts.push_back({std::move(text), {1, 5}, 2.5, false});
    return code_of(svg(drawing));
  };
  EXPECT_EQ(with("a\x01"), Code::kMalformed);
  EXPECT_EQ(with("a\xff"), Code::kBadEncoding);
  EXPECT_EQ(with("a\xef\xbf\xbf"), Code::kMalformed);
}

TEST(Svg, RefusesSizesThatCannotBe) {
  for (const double bad : {0.0, -1.0, 1001.0, std::nan(""), HUGE_VAL}) {
    EXPECT_EQ(code_of(svg({bad, 20, {}, {}, {}})), Code::kOutOfRange);
    EXPECT_EQ(code_of(svg({20, bad, {}, {}, {}})), Code::kOutOfRange);
    Drawing drawing{40, 20, {}, {}, {}};
    drawing.texts.push_back({"a", {1, 5}, bad, false});
    EXPECT_EQ(code_of(svg(drawing)), Code::kOutOfRange);
    drawing.texts.clear();
    drawing.icons.push_back({Icon::kLot, {1, 1}, bad});
    EXPECT_EQ(code_of(svg(drawing)), Code::kOutOfRange);
  }
  Drawing drawing{40, 20, {}, {}, {}};
  drawing.texts.push_back({"a", {std::nan(""), 5}, 2, false});
  EXPECT_EQ(code_of(svg(drawing)), Code::kOutOfRange);
}

}  // namespace
}  // namespace theriac::label
