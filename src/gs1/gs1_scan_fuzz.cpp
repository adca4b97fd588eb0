// Any text as a scan and as an EPC: what is accepted is written in each form that it has and read
// again as the same; what is refused is explained, at a place in the text.
#include <cstdint>

#include "base/bytes.hpp"
#include "gs1/digital_link.hpp"
#include "gs1/epc.hpp"
#include "gs1/scan.hpp"

namespace {

using namespace theriac::gs1;  // NOLINT: one file, one subject

constexpr Strictness kAnything{.required = false, .excluded = false};

void check_fault(const Fault& fault, std::string_view text) {
  THERIAC_ASSERT(fault.at <= text.size());
  for (const auto language : {theriac::Language::kEnglish, theriac::Language::kChinese}) {
    THERIAC_ASSERT(!explain(fault, language).empty());
  }
}

void check_elements(const ElementString& elements) {
  const auto list = elements.elements();
  THERIAC_ASSERT(check({list.begin(), list.end()}, kAnything) == elements);
  THERIAC_ASSERT(*parse_bracketed(bracketed(elements), kAnything) == elements);
  const auto from_raw = parse_raw(raw(elements), kAnything);
  THERIAC_ASSERT(from_raw && from_raw->elements().size() == list.size());
  for (const auto& element : list) THERIAC_ASSERT(*from_raw->find(element.ai) == element.value);
  THERIAC_ASSERT(parse_scan(scan(elements, Symbology::kDataMatrix), kAnything) == from_raw);
  if (const auto link = digital_link(elements)) {
    const auto from_link = parse_digital_link(*link, kAnything);
    THERIAC_ASSERT(from_link && from_link->elements().size() == list.size());
    for (const auto& element : list) THERIAC_ASSERT(*from_link->find(element.ai) == element.value);
    THERIAC_ASSERT(digital_link(*from_link) == *link);
  }
  if (const auto epc = epc_of(elements)) {
    const auto from_link = parse_epc_link(epc_link(*epc));
    THERIAC_ASSERT(from_link == *epc);
    for (int length = 6; length <= 12; ++length) {
      const auto urn = epc_urn(*epc, length);
      if (!urn) continue;
      const auto from_urn = parse_epc_urn(*urn);
      THERIAC_ASSERT(from_urn && from_urn->elements == epc->elements);
    }
  }
}

void check_scan(std::string_view text, Strictness strictness) {
  const auto scan = read_scan(text, strictness);
  if (!scan) return check_fault(scan.error(), text);
  if (const auto* elements = std::get_if<ElementString>(&scan->code)) check_elements(*elements);
  if (const auto* ma = std::get_if<MaCode>(&scan->code)) {
    THERIAC_ASSERT(parse_ma(ma_text(*ma)) == *ma);
  }
  if (const auto* drug = std::get_if<DrugCode>(&scan->code)) {
    THERIAC_ASSERT(parse_drug_code(drug_code_text(*drug)) == *drug);
  }
}

void check_epc(std::string_view text) {
  const auto epc = parse_epc(text);
  if (!epc) return check_fault(epc.error(), text);
  const auto link = epc_link(*epc);
  const auto from_link = parse_epc_link(link);
  THERIAC_ASSERT(from_link && from_link->elements == epc->elements);
  THERIAC_ASSERT(epc_link(*from_link) == link);
  if (epc->prefix_length == 0) return;
  const auto urn = epc_urn(*epc);
  THERIAC_ASSERT(urn && parse_epc_urn(*urn) == *epc);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = theriac::text_of({data, size});
  check_scan(text, {});
  check_scan(text, kAnything);
  check_epc(text);
  return 0;
}
