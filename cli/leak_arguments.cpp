#include "cli/leak_arguments.h"

#include "cli/run_arguments.h"

namespace ebbtide {
namespace {

constexpr std::uint32_t max_cycles = 1000;

}  // namespace

void define_leak(CLI::App& app, LeakArguments& arguments, LeakOptions& options) {
  app.add_option("--cycles", options.cycles, "cycles with connections")
      ->type_name("N")
      ->check(CLI::Range(1U, max_cycles))
      ->capture_default_str()
      ->group("Experiment");
  app.add_option(
         "--max-cycles", options.max_cycles,
         "go on for so many while nothing is decided; as many as --cycles where that is given")
      ->type_name("N")
      ->check(CLI::Range(1U, max_cycles))
      ->capture_default_str()
      ->group("Experiment");
  app.add_option("--max-time", arguments.max_time_seconds,
                 "go on for at most so long while nothing is decided, in seconds")
      ->type_name("S")
      ->check(seconds_between(1, max_seconds))
      ->capture_default_str()
      ->group("Experiment");
  app.add_option("--cool-down", arguments.cool_down_seconds,
                 "before LEAK, leave the server alone for at most so long where something may yet "
                 "give back, in seconds; 0: never")
      ->type_name("S")
      ->check(seconds_between(0, max_seconds))
      ->capture_default_str()
      ->group("Experiment");
  app.add_option("--connections", options.connections, "connections per cycle")
      ->type_name("N")
      ->check(CLI::Range(1U, max_connections))
      ->capture_default_str()
      ->group("Experiment");
  app.add_flag("--snapshot", options.snapshot,
               "also have the server write three heap snapshots (voids later readings of RSS)")
      ->excludes("--no-inspector")
      ->group("Evidence");
  app.add_flag("--fd-events", options.fd_events,
               "also record every accept, close and shutdown (costs the target about 5 %)")
      ->group("Evidence");
  app.add_option("--page-faults", options.fault_period,
                 "also sample 1 page fault in N with its stack")
      ->type_name("N")
      ->check(CLI::Range(1U, 1U << 20))
      ->group("Evidence");
  app.add_option("--source", options.source,
                 "directory or file of the server's source, reviewed beside the measurement; what "
                 "the process loads when left out")
      ->type_name("PATH")
      ->allow_extra_args(false)
      ->group("Evidence");
  app.add_flag("--no-source", arguments.no_source, "read no source")
      ->excludes("--source")
      ->group("Evidence");
}

void finish_leak(const CLI::App& app, const LeakArguments& arguments, LeakOptions& options) {
  options.review = !arguments.no_source;
  options.every_end = app.count("--close") > 0;
  options.max_time = to_milliseconds(arguments.max_time_seconds);
  options.cool_down = to_milliseconds(arguments.cool_down_seconds);
  const bool fixed = app.count("--cycles") > 0 && app.count("--max-cycles") == 0;
  if (fixed) options.max_cycles = options.cycles;
}

}  // namespace ebbtide
