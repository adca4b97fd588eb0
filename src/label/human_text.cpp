#include "label/human_text.hpp"

#include <algorithm>
#include <span>
#include <string_view>

namespace theriac::label {

namespace {

/// How a date is written out.
enum class DateForm : std::uint8_t { kNone, kIso, kEuropean };

struct Caption {
  std::string_view ai;
  Icon icon;
  std::string_view before;
  bool brackets;  ///< with the AI in front of the value
  DateForm date;
};

constexpr auto kEuMedicine = std::to_array<Caption>({
    {"01", Icon::kNone, "PC: ", false, DateForm::kNone},
    {"21", Icon::kNone, "SN: ", false, DateForm::kNone},
    {"10", Icon::kNone, "LOT: ", false, DateForm::kNone},
    {"17", Icon::kNone, "EXP: ", false, DateForm::kEuropean},
    {"710", Icon::kNone, "NN: ", false, DateForm::kNone},
    {"711", Icon::kNone, "NN: ", false, DateForm::kNone},
    {"712", Icon::kNone, "NN: ", false, DateForm::kNone},
    {"713", Icon::kNone, "NN: ", false, DateForm::kNone},
    {"714", Icon::kNone, "NN: ", false, DateForm::kNone},
    {"716", Icon::kNone, "NN: ", false, DateForm::kNone},
});
constexpr auto kDevice = std::to_array<Caption>({
    {"01", Icon::kUdi, "", true, DateForm::kNone},
    {"10", Icon::kLot, "", false, DateForm::kNone},
    {"21", Icon::kSerial, "", false, DateForm::kNone},
    {"11", Icon::kMade, "", false, DateForm::kIso},
    {"17", Icon::kUseBy, "", false, DateForm::kIso},
    {"240", Icon::kReference, "", false, DateForm::kNone},
});
constexpr auto kChinaDevice = std::to_array<Caption>({
    {"01", Icon::kNone, "产品标识 ", true, DateForm::kNone},
    {"11", Icon::kNone, "生产日期 ", true, DateForm::kNone},
    {"17", Icon::kNone, "失效日期 ", true, DateForm::kNone},
    {"10", Icon::kNone, "生产批号 ", true, DateForm::kNone},
    {"21", Icon::kNone, "序列号 ", true, DateForm::kNone},
});

std::span<const Caption> captions(TextForm form) {
  switch (form) {
    case TextForm::kEuMedicine:
      return kEuMedicine;
    case TextForm::kDevice:
      return kDevice;
    case TextForm::kChinaDevice:
      return kChinaDevice;
    case TextForm::kBracketed:
      break;
  }
  return {};
}

std::string bracketed(std::string_view ai, const std::string& value) {
  return "(" + std::string(ai) + ")" + value;
}

/// Day 00 means the whole month, and is not printed.
std::string date(const std::string& value, DateForm form, int year_now) {
  const auto iso = gs1::iso_date(value, year_now);
  if (!iso || form == DateForm::kNone) return value;
  const bool month_only = value.ends_with("00");
  if (form == DateForm::kIso) return month_only ? iso->substr(0, 7) : *iso;
  const std::string month = iso->substr(5, 2) + "/" + iso->substr(0, 4);
  return month_only ? month : iso->substr(8, 2) + "/" + month;
}

}  // namespace

std::vector<TextLine> human_text(const gs1::ElementString& elements, TextForm form, int year_now) {
  std::vector<TextLine> lines;
  const auto known = captions(form);
  for (const Caption& caption : known) {
    const std::string* value = elements.find(caption.ai);
    if (value == nullptr) continue;
    const std::string shown =
        caption.date == DateForm::kNone ? *value : date(*value, caption.date, year_now);
    lines.push_back({caption.icon, std::string(caption.before) +
                                       (caption.brackets ? bracketed(caption.ai, shown) : shown)});
  }
  for (const gs1::Element& element : elements.elements()) {
    if (std::ranges::find(known, element.ai, &Caption::ai) != known.end()) continue;
    lines.push_back({Icon::kNone, bracketed(element.ai, element.value)});
  }
  return lines;
}

}  // namespace theriac::label
