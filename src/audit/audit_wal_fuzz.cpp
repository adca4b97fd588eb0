// A write-ahead log segment and an entry from anywhere: nothing is read behind the end, what is
// taken for whole batches hashes to what their digests say, and entries are only taken as such when
// their links can be read again.
#include "audit/entry.hpp"
#include "audit/test_disk.hpp"
#include "audit/wal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  using namespace theriac::audit;
  const ByteView input{data, size};

  TestDisk disk;
  THERIAC_ASSERT(disk.make_dir("/wal"));
  {
    const auto file = disk.create("/wal/00000000000000000005").value();
    THERIAC_ASSERT(file->write(input));
  }
  const auto wal = read_wal(disk, "/wal", 7).value();
  THERIAC_ASSERT(wal.entries.size() == wal.leaves.size());
  THERIAC_ASSERT(wal.first == 5);
  Chain chain(false);
  for (std::size_t i = 0; i < wal.entries.size(); ++i) {
    THERIAC_ASSERT(tlog::leaf_hash(wal.entries[i]) == wal.leaves[i]);
    chain.check(5 + i, wal.entries[i], wal.leaves[i]);
  }

  if (const auto links = read_links(input)) {
    THERIAC_ASSERT(links->previous.size() == 64);
    const std::string_view text = text_of(input);
    THERIAC_ASSERT(text.front() == '{' && text.back() == '}');
    for (const std::string_view part : {links->producer, links->previous, links->time}) {
      THERIAC_ASSERT(part.data() >= text.data());
      THERIAC_ASSERT(part.data() + part.size() <= text.data() + text.size());
    }
    THERIAC_ASSERT(chain.check(0, input, tlog::leaf_hash(input)) != Chain::Problem::kNotAnEntry);
  }
  return 0;
}
