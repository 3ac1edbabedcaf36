#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <sstream>

#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/leak_arguments.h"
#include "cli/load_arguments.h"
#include "cli/profile_arguments.h"
#include "cli/run_arguments.h"

namespace ebbtide {
namespace {

void define_review(CLI::App& review, ReviewOptions& options, std::string& fail_on) {
  const std::map<std::string, ReviewFormat> formats = {{"text", ReviewFormat::text},
                                                       {"markdown", ReviewFormat::markdown},
                                                       {"json", ReviewFormat::json},
                                                       {"sarif", ReviewFormat::sarif}};
  review.add_option("PATH", options.paths, "directories and files of the server's source")
      ->required();
  review.add_option("--format", options.format, "text, markdown, json or sarif")
      ->type_name("FORMAT")
      ->transform(CLI::CheckedTransformer(formats).description(""))
      ->option_text("FORMAT");
  review.add_option("--fail-on", fail_on, "least serious finding that gives exit status 2")
      ->type_name("SEVERITY")
      ->check(CLI::IsMember({"error", "warning", "info", "never"}).description(""))
      ->capture_default_str();
  review.add_flag("--checks", options.checks, "also print what was found in order");
}

std::optional<Severity> severity_named(const std::string& name) {
  if (name == "error") return Severity::error;
  if (name == "warning") return Severity::warning;
  if (name == "info") return Severity::info;
  return std::nullopt;
}

void define_compare(CLI::App& compare, CompareOptions& options) {
  compare.add_option("BEFORE", options.before, "a recording, or a directory that holds some")
      ->required();
  compare.add_option("AFTER", options.after, "the same, made later")->required();
  compare
      .add_option("-o,--output", options.output_directory,
                  "directory for the report; none is written when left out")
      ->type_name("DIR");
  compare.add_flag("--json", options.json, "print everything as JSON");
}

void define_heap(CLI::App& heap, HeapOptions& options) {
  heap.add_option("FILE", options.snapshots, "heap snapshots, in the order they were taken");
  heap.add_option("--pid", options.pid, "look into this live process instead of files")
      ->type_name("PID")
      ->check(CLI::Range(1, 1 << 22));
  heap.add_option("--connections", options.connections,
                  "connections that were made from one snapshot to the next")
      ->type_name("N")
      ->check(CLI::Range(1U, 1U << 30));
  heap.add_flag("--json", options.json, "print everything as JSON");
}

Answer usage_error(const std::string& message, const std::string& command) {
  return {exit_usage, fmt::format("ebbtide: {}\nTry `ebbtide {}--help`.\n", message,
                                  command.empty() ? "" : command + " ")};
}

// The options, or what is wrong with them.
template <class Options>
std::variant<Command, Answer> finished(const Result<void>& outcome, Options& options,
                                       const std::string& command) {
  if (!outcome) return usage_error(outcome.error().message(), command);
  return Command{std::move(options)};
}

}  // namespace

std::variant<Command, Answer> parse_command_line(int argc, const char* const* argv) {
  CLI::App app;
  app.name("ebbtide");
  app.formatter(std::make_shared<ManPageFormatter>());
  app.set_version_flag("--version", "ebbtide " EBBTIDE_VERSION);
  app.require_subcommand(1);
  describe_program(app);

  RunArguments leak_run_arguments;
  LeakArguments leak_arguments;
  leak_run_arguments.close_modes = "all";
  LeakOptions leak_options;
  CLI::App* leak = app.add_subcommand("leak", "drive connections and say LEAK or NO LEAK");
  describe_leak(*leak);
  define_run(*leak, leak_run_arguments, leak_options.run);
  define_hold(*leak, leak_run_arguments);
  define_leak(*leak, leak_arguments, leak_options);

  ConnectionsArguments connections_arguments;
  ConnectionsOptions connections_options;
  CLI::App* connections = app.add_subcommand("connections", "hold more and more of them");
  describe_connections(*connections);
  define_connections(*connections, connections_arguments, connections_options);

  BroadcastArguments broadcast_arguments;
  BroadcastOptions broadcast_options;
  CLI::App* broadcast = app.add_subcommand("broadcast", "have one message sent to many");
  describe_broadcast(*broadcast);
  define_broadcast(*broadcast, broadcast_arguments, broadcast_options);

  ProfileArguments profile_arguments;
  CLI::App* profile = app.add_subcommand("profile", "all of it, and a summary");
  describe_profile(*profile);
  define_profile(*profile, profile_arguments);

  ReportOptions report_options;
  CLI::App* report = app.add_subcommand("report", "write the report of a recording again");
  describe_report(*report);
  report->add_option("FILE", report_options.recording, "a recording (*.ebbtide)")->required();
  report
      ->add_option("-o,--output", report_options.output_directory,
                   "directory for the reports; the recording's own when left out")
      ->type_name("DIR");
  report->add_flag("-q,--quiet", report_options.quiet, "print the verdict only");

  CompareOptions compare_options;
  CLI::App* compare = app.add_subcommand("compare", "say what a change made of two recordings");
  describe_compare(*compare);
  define_compare(*compare, compare_options);

  HeapOptions heap_options;
  CLI::App* heap = app.add_subcommand("heap", "say what JavaScript heaps hold, and what grows");
  describe_heap(*heap);
  define_heap(*heap, heap_options);

  std::int32_t doctor_pid = 0;
  CLI::App* doctor = app.add_subcommand("doctor", "show what this machine and a process allow");
  describe_doctor(*doctor);
  doctor->add_option("--pid", doctor_pid, "also look at this process")
      ->type_name("PID")
      ->check(CLI::Range(1, 1 << 22));

  ReviewOptions review_options;
  std::string fail_on = "error";
  CLI::App* review = app.add_subcommand("review", "read a server's source for what it never frees");
  describe_review(*review);
  define_review(*review, review_options, fail_on);

  const std::string first = argc > 1 ? argv[1] : "-";
  const auto named =
      app.get_subcommands([&](const CLI::App* sub) { return sub->check_name(first); });
  if (!first.starts_with("-") && named.empty())
    return usage_error(fmt::format("there is no command \"{}\"", first), "");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Answer{exit_ok, app.help()};
  } catch (const CLI::CallForVersion&) {
    return Answer{exit_ok, app.version() + "\n"};
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    return usage_error(error.what(), chosen.empty() ? "" : chosen.front()->get_name());
  }

  if (leak->parsed()) {
    finish_leak(*leak, leak_arguments, leak_options);
    return finished(finish_run(*leak, leak_run_arguments, leak_options.run), leak_options, "leak");
  }
  if (connections->parsed()) {
    return finished(finish_connections(*connections, connections_arguments, connections_options),
                    connections_options, "connections");
  }
  if (broadcast->parsed()) {
    return finished(finish_broadcast(*broadcast, broadcast_arguments, broadcast_options),
                    broadcast_options, "broadcast");
  }
  if (profile->parsed()) {
    auto options = finish_profile(*profile, profile_arguments);
    if (!options) return usage_error(options.error().message(), "profile");
    return Command{*std::move(options)};
  }
  if (report->parsed()) return Command{report_options};
  if (compare->parsed()) return Command{std::move(compare_options)};
  if (heap->parsed()) {
    if (heap_options.snapshots.empty() == !heap_options.pid.has_value())
      return usage_error("name heap snapshots, or a process with --pid", "heap");
    return Command{std::move(heap_options)};
  }
  if (review->parsed()) {
    review_options.fail_on = severity_named(fail_on);
    return Command{std::move(review_options)};
  }
  return Command{DoctorOptions{doctor_pid != 0 ? std::optional(doctor_pid) : std::nullopt}};
}

std::string quote_command_line(int argc, const char* const* argv) {
  std::string line;
  for (int i = 0; i < argc; i++) {
    std::string word = i == 0 ? "ebbtide" : argv[i];
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789_-./:=,@%+") == std::string::npos;
    if (!plain) {
      std::string quoted = "'";
      for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
      word = quoted + "'";
    }
    line += (i == 0 ? "" : " ") + word;
  }
  return line;
}

}  // namespace ebbtide
