// The first packet of a connection, whole and at every split.
#include <cstdint>

#include "pgwire/messages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac::pgwire;  // NOLINT
  const theriac::ByteView input(data, size);
  const auto whole = cut_startup(input);
  for (std::size_t part = 0; part < size && part < 64; ++part) {
    const auto early = cut_startup(input.first(part));
    // A shorter view either wants more, or already knows what the whole says.
    THERIAC_ASSERT(!early || !*early || (whole && *whole && (*early)->size == (*whole)->size));
    THERIAC_ASSERT(early || !whole);
  }
  if (!whole || !*whole) return 0;
  THERIAC_ASSERT((*whole)->size <= size);
  theriac::Bytes again;
  switch ((*whole)->kind) {
    case StartupKind::kStartup:
      (void)(*whole)->message.find("user");
      write_startup(again, (*whole)->message);
      break;
    case StartupKind::kCancel:
      write_cancel(again, (*whole)->cancel);
      break;
    case StartupKind::kSsl:
      write_ssl_request(again);
      break;
    case StartupKind::kGssEnc:
      return 0;
  }
  THERIAC_ASSERT(theriac::text_of(again) == theriac::text_of(input.first((*whole)->size)));
  return 0;
}
