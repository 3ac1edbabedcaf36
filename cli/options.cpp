#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <sstream>

#include "cli/exit_code.h"
#include "cli/help.h"

namespace ebbtide {
namespace {

constexpr std::uint32_t max_cycles = 1000;
constexpr std::uint32_t max_connections = 50000;
constexpr double max_seconds = 3600;

std::chrono::milliseconds to_milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000 + 0.5));
}

// A range that also turns away "nan", which compares as within any.
CLI::Validator seconds_between(double low, double high) {
  return CLI::Validator(
      [=](const std::string& text) {
        double value = 0;
        const bool inside = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
        return inside ? std::string()
                      : fmt::format("{} is not a number of seconds from {} to {}", text, low, high);
      },
      "");
}

// What CLI11 fills in before it becomes options: texts and seconds.
struct LeakArguments {
  std::string url;
  std::vector<std::string> sends, expects, headers;
  double hold_seconds = 0.1;
  double timeout_seconds = 5;
  double close_timeout_seconds = 1;
  double settle_cap_seconds = 3;
  std::int32_t pid = 0;
  bool no_inspector = false, no_heap_census = false, no_ebpf = false, no_source = false;
};

void define_leak(CLI::App& leak, LeakArguments& arguments, LeakOptions& options) {
  leak.add_option("URL", arguments.url, "ws://, http:// or tcp:// address of the server")
      ->required();
  leak.add_option("--pid", arguments.pid,
                  "the server's process; found by the URL's port when left out")
      ->type_name("PID")
      ->check(CLI::Range(1, 1 << 22));
  leak.add_option("--send", arguments.sends,
                  "send TEXT ({id}: the connection's number); repeatable, run in the order given")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group("Conversation");
  leak.add_option("--expect", arguments.expects,
                  "wait for an answer that contains TEXT; repeatable, run in the order given")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group("Conversation");
  leak.add_option("--header", arguments.headers, "add a request header, \"Name: value\"")
      ->type_name("HEADER")
      ->allow_extra_args(false)
      ->group("Conversation");
  leak.add_option("--subprotocol", options.connection.subprotocol, "WebSocket subprotocol")
      ->type_name("NAME")
      ->group("Conversation");
  leak.add_option("--timeout", arguments.timeout_seconds,
                  "for connect, upgrade and each expected answer, in seconds")
      ->type_name("S")
      ->check(seconds_between(0.001, max_seconds))
      ->capture_default_str()
      ->group("Conversation");
  leak.add_option("--cycles", options.cycles, "cycles with connections")
      ->type_name("N")
      ->check(CLI::Range(1U, max_cycles))
      ->capture_default_str()
      ->group("Experiment");
  leak.add_option("--connections", options.connections, "connections per cycle")
      ->type_name("N")
      ->check(CLI::Range(1U, max_connections))
      ->capture_default_str()
      ->group("Experiment");
  leak.add_option("--window", options.window, "at most so many opening at once")
      ->type_name("M")
      ->check(CLI::Range(1U, max_connections))
      ->capture_default_str()
      ->group("Experiment");
  leak.add_option("--hold", arguments.hold_seconds, "keep each cycle's connections up, in seconds")
      ->type_name("S")
      ->check(seconds_between(0, max_seconds))
      ->capture_default_str()
      ->group("Experiment");
  leak.add_option("--settle-cap", arguments.settle_cap_seconds,
                  "wait at most so long for the server to settle, in seconds")
      ->type_name("S")
      ->check(seconds_between(0.1, max_seconds))
      ->capture_default_str()
      ->group("Experiment");
  leak.add_option("--close-timeout", arguments.close_timeout_seconds,
                  "wait at most so long for the server's side of a close, in seconds")
      ->type_name("S")
      ->check(seconds_between(0.01, max_seconds))
      ->capture_default_str()
      ->group("Experiment");
  leak.add_flag("--no-inspector", arguments.no_inspector,
                "never open Node's inspector (no forced GC; the heap census stays)")
      ->group("Evidence");
  leak.add_flag("--no-heap-census", arguments.no_heap_census,
                "never hold the server's threads to read its JavaScript heap (milliseconds each)")
      ->group("Evidence");
  leak.add_flag("--snapshot", options.snapshot,
                "also have the server write three heap snapshots (voids later readings of RSS)")
      ->excludes("--no-inspector")
      ->group("Evidence");
  leak.add_flag("--no-ebpf", arguments.no_ebpf, "observe through /proc alone")->group("Evidence");
  leak.add_flag("--fd-events", options.fd_events,
                "also record every accept, close and shutdown (costs the target about 5 %)")
      ->group("Evidence");
  leak.add_option("--page-faults", options.fault_period,
                  "also sample 1 page fault in N with its stack")
      ->type_name("N")
      ->check(CLI::Range(1U, 1U << 20))
      ->group("Evidence");
  leak.add_option("--source", options.source,
                  "directory or file of the server's source, reviewed beside the measurement; what "
                  "the process loads when left out")
      ->type_name("PATH")
      ->allow_extra_args(false)
      ->group("Evidence");
  leak.add_flag("--no-source", arguments.no_source, "read no source")
      ->excludes("--source")
      ->group("Evidence");
  leak.add_flag("--allow-remote", options.allow_remote,
                "let the URL name another machine (the server itself must still run here)")
      ->group("Evidence");
  leak.add_option("-o,--output", options.output_directory, "directory for reports and recording")
      ->type_name("DIR")
      ->capture_default_str()
      ->group("Output");
  leak.add_flag("-q,--quiet", options.quiet, "print the verdict only")->group("Output");
}

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

// --send and --expect make one list in the order they stand on the command line.
std::vector<Step> ordered_steps(const CLI::App& leak, const LeakArguments& arguments) {
  std::vector<Step> steps;
  std::size_t sends = 0, expects = 0;
  for (const CLI::Option* option : leak.parse_order()) {
    if (option->check_name("--send"))
      steps.push_back({Step::Kind::send, arguments.sends.at(sends++)});
    else if (option->check_name("--expect"))
      steps.push_back({Step::Kind::expect, arguments.expects.at(expects++)});
  }
  return steps;
}

Result<std::pair<std::string, std::string>> parse_header(const std::string& text) {
  const auto colon = text.find(':');
  const bool unsafe = text.find_first_of("\r\n") != std::string::npos;
  if (colon == std::string::npos || colon == 0 || unsafe)
    return Error{"use", fmt::format("--header \"{}\"", text),
                 "it is not of the form \"Name: value\"", ""};
  const auto value = text.find_first_not_of(" \t", colon + 1);
  return std::pair{text.substr(0, colon), value == std::string::npos ? "" : text.substr(value)};
}

Result<LeakOptions> finish_leak(const CLI::App& leak, const LeakArguments& arguments,
                                LeakOptions options) {
  auto url = parse_url(arguments.url);
  if (!url) return url.error();
  options.url = arguments.url;
  options.connection.url = *std::move(url);
  options.connection.steps = ordered_steps(leak, arguments);
  for (const std::string& text : arguments.headers) {
    auto header = parse_header(text);
    if (!header) return header.error();
    options.connection.headers.push_back(*std::move(header));
  }
  options.connection.timeout = to_milliseconds(arguments.timeout_seconds);
  options.connection.close_timeout = to_milliseconds(arguments.close_timeout_seconds);
  options.hold = to_milliseconds(arguments.hold_seconds);
  options.settle_cap = to_milliseconds(arguments.settle_cap_seconds);
  if (arguments.pid != 0) options.pid = arguments.pid;
  options.inspector = !arguments.no_inspector;
  options.heap_census = !arguments.no_heap_census;
  options.ebpf = !arguments.no_ebpf;
  options.review = !arguments.no_source;
  return options;
}

Answer usage_error(const std::string& message, const std::string& command) {
  return {exit_usage, fmt::format("ebbtide: {}\nTry `ebbtide {}--help`.\n", message,
                                  command.empty() ? "" : command + " ")};
}

}  // namespace

std::variant<Command, Answer> parse_command_line(int argc, const char* const* argv) {
  CLI::App app;
  app.name("ebbtide");
  app.formatter(std::make_shared<ManPageFormatter>());
  app.set_version_flag("--version", "ebbtide " EBBTIDE_VERSION);
  app.require_subcommand(1);
  describe_program(app);

  LeakArguments arguments;
  LeakOptions leak_options;
  CLI::App* leak = app.add_subcommand("leak", "drive connections and say LEAK or NO LEAK");
  describe_leak(*leak);
  define_leak(*leak, arguments, leak_options);

  ReportOptions report_options;
  CLI::App* report = app.add_subcommand("report", "write the reports of a recording again");
  describe_report(*report);
  report->add_option("FILE", report_options.recording, "a recording (*.ebbtide)")->required();
  report
      ->add_option("-o,--output", report_options.output_directory,
                   "directory for the reports; the recording's own when left out")
      ->type_name("DIR");
  report->add_flag("-q,--quiet", report_options.quiet, "print the verdict only");

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
    auto options = finish_leak(*leak, arguments, leak_options);
    if (!options) return usage_error(options.error().message(), "leak");
    return Command{*std::move(options)};
  }
  if (report->parsed()) return Command{report_options};
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
