#include "tracer/v8/heap_copy.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace ebbtide {
namespace {

constexpr std::uint64_t chunk_size = 1 << 18;
constexpr std::uint64_t most_at_once = 2 << 20;  // bytes: a copy that must stop does so in 1 ms
constexpr std::size_t pieces_at_once = 64;

}  // namespace

// --- the buffer ---------------------------------------------------------------------------------

Result<std::shared_ptr<CopyBuffer>> CopyBuffer::make(std::size_t size) {
  constexpr std::size_t huge_page = 2 << 20;
  size = (size + huge_page - 1) / huge_page * huge_page;
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    return Error{"copy the heap of", "the process",
                 fmt::format("no {} MB of memory for it: {}", size >> 20, std::strerror(errno)),
                 ""};
  }
  madvise(data, size, MADV_HUGEPAGE);
#ifdef MADV_POPULATE_WRITE
  const bool populated = madvise(data, size, MADV_POPULATE_WRITE) == 0;
#else
  const bool populated = false;
#endif
  if (!populated) std::memset(data, 0, size);  // before Linux 5.14
  return std::shared_ptr<CopyBuffer>(new CopyBuffer(static_cast<std::byte*>(data), size));
}

CopyBuffer::~CopyBuffer() { munmap(data_, size_); }

// --- what is where ------------------------------------------------------------------------------

Result<void> MemoryMap::refresh(pid_t pid, const TargetMemory& memory) {
  auto mappings = read_process_maps(pid);
  if (!mappings) return mappings.error();
  std::map<Place, MappingUse> known;
  const auto before = std::exchange(chunks_, {});
  malloc_.clear();
  for (const ProcessMapping& mapping : *mappings) {
    const Place place(mapping.start, mapping.end);
    const auto seen = known_.find(place);
    const auto use = seen != known_.end() ? seen->second : use_of(mapping, memory);
    known.emplace_hint(known.end(), place, use);
    if (use.use == MemoryUse::heap_chunk) {
      const auto same = std::ranges::lower_bound(
          before, mapping.start, {}, [](const ChunkMapping& chunk) { return chunk.range.start; });
      const bool resident = same != before.end() && same->range.start == mapping.start &&
                            same->range.end == mapping.end && same->resident;
      chunks_.push_back({{mapping.start, mapping.end}, !mapping.writable, resident});
    }
    if (use.use == MemoryUse::malloc && use.search_from < mapping.end)
      malloc_.push_back({use.search_from, mapping.end});
  }
  known_ = std::move(known);
  return {};
}

// --- the copy -----------------------------------------------------------------------------------

CopyPlan CopyPlan::of(std::vector<ChunkMapping>& chunks, const TargetMemory& memory) {
  CopyPlan plan;
  for (auto& [mapping, read_only, resident] : chunks) {
    const auto runs = resident ? std::vector{mapping} : memory.resident(mapping);
    resident = runs.size() == 1 && runs[0].size() == mapping.size();
    for (AddressRange run : runs) {
      const AddressRange whole{
          run.start / chunk_size * chunk_size,
          std::min((run.end + chunk_size - 1) / chunk_size * chunk_size, mapping.end)};
      const bool joins = !plan.regions_.empty() && whole.start <= plan.regions_.back().from.end &&
                         plan.regions_.back().from.start >= mapping.start;
      if (!joins) {
        plan.regions_.push_back({{whole.start, whole.start}, plan.buffer_size_, read_only});
      }
      Piece& region = plan.regions_.back();
      region.from.end = std::max(region.from.end, whole.end);
      plan.buffer_size_ = region.to + region.from.size();
      plan.resident_bytes_ += run.size();
      while (run.size() > 0) {
        const AddressRange piece{run.start, std::min(run.end, run.start + most_at_once)};
        plan.resident_.push_back({piece, region.to + (piece.start - region.from.start)});
        run.start = piece.end;
      }
    }
  }
  return plan;
}

bool CopyPlan::copy_batch(pid_t pid, std::byte* buffer, std::size_t first, std::size_t last) const {
  std::array<iovec, pieces_at_once> local{};
  std::array<iovec, pieces_at_once> remote{};
  std::uint64_t wanted = 0;
  for (std::size_t i = first; i < last; ++i) {
    const Piece& piece = resident_[i];
    local[i - first] = {buffer + piece.to, piece.from.size()};
    remote[i - first] = {reinterpret_cast<void*>(piece.from.start), piece.from.size()};
    wanted += piece.from.size();
  }
  const auto got =
      process_vm_readv(pid, local.data(), last - first, remote.data(), last - first, 0);
  return got == static_cast<ssize_t>(wanted);
}

bool CopyPlan::copy(pid_t pid, std::byte* buffer, const std::function<bool()>& late) const {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto work = [&] {
    while (!failed) {
      // Batches of about most_at_once, of which the pieces are no part but the smallest unit.
      std::size_t first = next;
      std::size_t last = 0;
      do {
        std::uint64_t bytes = 0;
        for (last = first;
             last < resident_.size() && last - first < pieces_at_once && bytes < most_at_once;
             ++last) {
          bytes += resident_[last].from.size();
        }
      } while (!next.compare_exchange_weak(first, last));
      if (first == last) return;
      if (late() || !copy_batch(pid, buffer, first, last)) failed = true;
    }
  };
  const auto threads = std::min<std::size_t>(std::thread::hardware_concurrency(),
                                             resident_bytes_ / (16 * most_at_once) + 1);
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  return !failed;
}

void CopyPlan::clear_gaps(std::byte* buffer) const {
  auto piece = resident_.begin();
  for (const Piece& region : regions_) {
    auto at = region.from.start;
    for (; piece != resident_.end() && piece->from.start < region.from.end; ++piece) {
      std::memset(buffer + region.to + (at - region.from.start), 0, piece->from.start - at);
      at = piece->from.end;
    }
    std::memset(buffer + region.to + (at - region.from.start), 0, region.from.end - at);
  }
}

std::vector<HeapRegion> CopyPlan::regions(const std::byte* buffer) const {
  std::vector<HeapRegion> regions;
  regions.reserve(regions_.size());
  for (const Piece& region : regions_) {
    regions.push_back(
        {region.from.start, {buffer + region.to, region.from.size()}, true, region.read_only});
  }
  return regions;
}

}  // namespace ebbtide
