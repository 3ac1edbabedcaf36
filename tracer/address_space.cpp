#include "tracer/address_space.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "tracer/birth.h"

namespace ebbtide {
namespace {

constexpr std::size_t sweep_slack = 1024;

// "anonymous rw", "file r-x": enough to tell a heap from a library.
std::string mapping_label(const ebb_mapping_event& event) {
  std::string label = (event.flags & MAP_ANONYMOUS) != 0 ? "anonymous " : "file ";
  label += (event.protection & PROT_READ) != 0 ? 'r' : '-';
  label += (event.protection & PROT_WRITE) != 0 ? 'w' : '-';
  label += (event.protection & PROT_EXEC) != 0 ? 'x' : '-';
  return label;
}

}  // namespace

AddressSpace::AddressSpace(std::int32_t pid, std::uint64_t first_number, Sink sink)
    : pid_(pid),
      sink_(std::move(sink)),
      page_bytes_(static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))),
      last_owner_(first_number),
      sweep_at_(sweep_slack) {}

void AddressSpace::seed(const std::vector<IntervalMap::Interval>& mappings,
                        std::uint64_t heap_end) {
  for (const auto& range : mappings) mapped_.map(range.start, range.end - range.start, 0);
  heap_end_ = heap_end;
}

IntervalMap::Owner AddressSpace::new_mapping(std::uint32_t epoch, std::uint64_t birth_ns,
                                             std::uint64_t stack_id, std::string label) {
  if (alive_.size() >= sweep_at_) {
    drop_dead(birth_ns);
    sweep_at_ = 2 * alive_.size() + sweep_slack;
  }
  const IntervalMap::Owner owner = ++last_owner_;
  Resource resource = born(ResourceKind::mapping, owner, pid_, epoch, birth_ns);
  resource.stack_id = stack_id;
  resource.label = std::move(label);
  alive_.emplace(owner, Mapping{std::move(resource), false});
  return owner;
}

void AddressSpace::take(const ebb_mapping_event& event) {
  const auto pages = [this](std::uint64_t bytes) {
    return (bytes + page_bytes_ - 1) & ~(page_bytes_ - 1);
  };
  const std::uint64_t before = mapped_.total_bytes();
  const std::uint32_t epoch = event.header.epoch;
  const auto owner = [&](std::string label) {
    return new_mapping(epoch, event.header.ts_ns, event.stack_id, std::move(label));
  };
  switch (event.operation) {
    case EBB_MMAP:
      mapped_.map(event.address, pages(event.length), owner(mapping_label(event)));
      break;
    case EBB_MUNMAP:
      mapped_.unmap(event.address, pages(event.length));
      return;
    case EBB_MREMAP:
      mapped_.remap(event.address, (event.flags & MREMAP_DONTUNMAP) != 0 ? 0 : pages(event.length),
                    event.new_address, pages(event.new_length), owner("mremap"));
      break;
    case EBB_BRK:
      move_break(event.address, owner("heap (brk)"));
      break;
    default:
      return;
  }
  if (mapped_.total_bytes() <= before && event.operation != EBB_MMAP) return;
  Births& births = births_[cycle_of(epoch)];
  births.count++;
  births.bytes +=
      event.operation == EBB_MMAP ? pages(event.length) : mapped_.total_bytes() - before;
}

void AddressSpace::move_break(std::uint64_t address, IntervalMap::Owner owner) {
  const std::uint64_t end = (address + page_bytes_ - 1) & ~(page_bytes_ - 1);
  if (heap_end_ != 0 && end > heap_end_) mapped_.map(heap_end_, end - heap_end_, owner);
  if (end < heap_end_) mapped_.unmap(end, heap_end_ - end);
  heap_end_ = end;
}

// What came and went between two settle points is not kept until the second.
void AddressSpace::drop_dead(std::uint64_t now_ns) {
  for (auto it = alive_.begin(); it != alive_.end();) {
    Mapping& mapping = it->second;
    if (mapped_.bytes_of(it->first) != 0) {
      ++it;
      continue;
    }
    mapping.resource.death_ns = now_ns;
    if (mapping.written) sink_(mapping.resource);
    it = alive_.erase(it);
  }
}

void AddressSpace::write(std::uint64_t now_ns) {
  drop_dead(now_ns);
  for (auto& [owner, mapping] : alive_) {
    const std::uint64_t bytes = mapped_.bytes_of(owner);
    if (mapping.written && bytes == mapping.resource.size_bytes) continue;
    mapping.resource.size_bytes = bytes;
    mapping.written = true;
    sink_(mapping.resource);
  }
}

std::uint64_t AddressSpace::reconcile(const std::vector<IntervalMap::Interval>& truth,
                                      std::uint32_t epoch, std::uint64_t now_ns) {
  return mapped_.reconcile(truth, new_mapping(epoch, now_ns, 0, "not seen being mapped"));
}

AddressSpace::Births AddressSpace::born_in(std::uint32_t cycle) const {
  const auto births = births_.find(cycle);
  return births == births_.end() ? Births{} : births->second;
}

}  // namespace ebbtide
