#include <fmt/format.h>

#include <string>

#include "analysis/report/escape.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "tracer/features.h"
#include "tracer/malloc_census.h"
#include "tracer/proc.h"
#include "tracer/v8/inspector_port.h"
#include "tracer/v8/v8_target.h"

namespace ebbtide {
namespace {

void print(const Feature& feature) {
  fmt::print("  {:<3}  {:<28} {}\n", feature.on ? "on" : "off", feature.name,
             clean_text(feature.detail, 1000));
  if (!feature.on && !feature.remedy.empty())
    fmt::print("       {:<28} -> {}\n", "", feature.remedy);
}

void look_at_machine() {
  fmt::print("This machine\n");
  for (const Feature& feature : probe_base_features()) print(feature);
  const bool vmas = kernel_has_vma_iterator();
  print({"iter/task_vma", vmas, vmas ? "mappings in one read" : "read from /proc/PID/maps instead",
         ""});
  print(probe_uprobes());
  print(probe_event_loop());
  print(probe_upstream());
}

void look_at_runtime(std::int32_t pid) {
  const auto found = find_v8(pid);
  if (!found) {
    print({"V8", false, found.error().message(), found.error().remedy});
    return;
  }
  if (!*found) {
    print({"V8", false, "not a V8 program: judged by its memory, fds and sockets", ""});
    return;
  }
  const V8Target& v8 = **found;
  print({"V8", true, fmt::format("{} {} in {}", v8.runtime, v8.version, v8.file_name), ""});
  print(
      {"GC probes", v8.gc_sites.has_value(),
       v8.gc_sites ? "begin and end of each collection, with the heap's size" : v8.gc_sites_missing,
       ""});
  const auto inspector = may_wake_inspector(pid);
  print({"inspector", inspector.has_value(),
         inspector ? "SIGUSR1 opens it: a full GC before each gauge" : inspector.error().reason,
         inspector ? "" : inspector.error().remedy});
}

void look_at_malloc(std::int32_t pid) {
  auto census = MallocCensus::open(pid);
  const auto use = census ? census->take() : Result<MallocUse>(census.error());
  print({"malloc census", use.has_value(),
         use ? fmt::format("{} blocks in use", use->blocks) : use.error().message(),
         use ? "" : use.error().remedy});
}

}  // namespace

Result<int> run_doctor(const DoctorOptions& options) {
  look_at_machine();
  if (!options.pid) return exit_ok;
  const auto process = identify_process(*options.pid);
  if (!process) return process.error();
  fmt::print("\nProcess {} ({})\n", process->pid, clean_text(process->comm));
  print(probe_process_access(*options.pid));
  look_at_runtime(*options.pid);
  look_at_malloc(*options.pid);
  return exit_ok;
}

}  // namespace ebbtide
