#include "cli/help.h"

#include <fmt/format.h>

namespace ebbtide {

ManPageFormatter::ManPageFormatter() { column_width(34); }

std::string ManPageFormatter::make_help(const CLI::App* app, std::string name,
                                        CLI::AppFormatMode mode) const {
  // What it does and the examples are the description; then usage, options and the rest.
  std::string usage = name;
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional()) usage += " " + option->get_name(true);
  }
  usage += app->get_subcommands({}).empty() ? " [OPTIONS]" : " COMMAND [OPTIONS]";
  return app->get_description() + "\n\nUsage\n  " + usage + "\n" + make_positionals(app) +
         make_groups(app, mode) + make_subcommands(app, mode) + make_footer(app);
}

// "leak   drive cycles …": the first line of its description, without its name.
std::string ManPageFormatter::make_subcommand(const CLI::App* sub) const {
  const std::string& text = sub->get_description();
  const auto start = text.find(" - ") + 3;
  return fmt::format("  {:<{}}{}\n", sub->get_name(), get_column_width() - 2,
                     text.substr(start, text.find('\n') - start));
}

std::string ManPageFormatter::make_option_opts(const CLI::Option* option) const {
  const std::string type = option->get_type_name();  // "N:UINT in [1 - 1000]"
  return type.empty() || option->get_positional() ? "" : " " + type.substr(0, type.find(':'));
}

std::string ManPageFormatter::make_option_desc(const CLI::Option* option) const {
  const std::string standard = option->get_default_str();
  return option->get_description() + (standard.empty() ? "" : fmt::format(" [{}]", standard));
}

namespace {

constexpr const char* load_exit_status =
    "\nExit status\n"
    "  0   the run got to its end\n"
    "  3   it did not: stopped, or the server died; the report holds what was measured until "
    "then;\n"
    "      or no trigger succeeded, or no message carried a token: nothing can be said of "
    "deliveries\n"
    "  1   the work could not be done; the message says why and how to mend it\n"
    "  64  wrong usage\n";

constexpr const char* exit_status =
    "\nExit status\n"
    "  0   NO LEAK or SATURATING (grew, then stopped), or the command succeeded\n"
    "  2   LEAK\n"
    "  3   INCONCLUSIVE; the report says what would decide it\n"
    "  1   the work could not be done; the message says why and how to mend it\n"
    "  64  wrong usage\n";

}  // namespace

void describe_program(CLI::App& app) {
  app.description(
      "ebbtide - does a running server give back everything its connections took?\n"
      "\n"
      "Attaches to a live process from outside (no restart, no code change), opens and closes\n"
      "cycles of connections against it, and reports what never came back.\n"
      "\n"
      "Examples\n"
      "  The shortest: the process is found by the port.\n"
      "    ebbtide leak ws://127.0.0.1:8000/ws\n"
      "\n"
      "  Subscribe on each connection, and count it only once the server has answered.\n"
      "    ebbtide leak ws://127.0.0.1:8000/ws \\\n"
      "        --send '{\"type\":\"subscribe\",\"matchId\":1}' --expect subscribed\n"
      "\n"
      "  What does this machine allow, and this process?\n"
      "    ebbtide doctor --pid 4711");
  app.footer(exit_status);
}

void describe_leak(CLI::App& leak) {
  leak.description(
      "ebbtide leak - drive cycles of connections and say LEAK or NO LEAK, with evidence\n"
      "\n"
      "Each cycle opens the connections, holds them, closes them, waits until the server has\n"
      "settled, and measures. Idle stretches between the cycles show what grows by the clock.\n"
      "A Node server's inspector is opened by SIGUSR1 to force a garbage collection before each\n"
      "measurement, and closed again (--no-inspector forbids it).\n"
      "\n"
      "Examples\n"
      "    ebbtide leak ws://127.0.0.1:8000/ws\n"
      "\n"
      "  A protocol of several steps; {id} is the connection's number.\n"
      "    ebbtide leak ws://127.0.0.1:4000/graphql --subprotocol graphql-transport-ws \\\n"
      "        --send '{\"type\":\"connection_init\"}' --expect connection_ack \\\n"
      "        --send '{\"id\":\"{id}\",\"type\":\"subscribe\",\"payload\":{...}}' --expect next\n"
      "\n"
      "  Plain HTTP keep-alive connections, and raw TCP.\n"
      "    ebbtide leak http://127.0.0.1:8080/health --cycles 20 --connections 500\n"
      "    ebbtide leak tcp://[::1]:6379 --send $'PING\\r\\n' --expect PONG\n"
      "\n"
      "  In a pipeline: only the verdict, exit status 2 for a leak.\n"
      "    ebbtide leak ws://127.0.0.1:8000/ws --quiet -o build/leak-report");
  leak.footer(
      std::string(
          "\nFiles\n"
          "  DIR/06-03-memory-analysis.md  the report; its first line is the answer\n"
          "  DIR/results.json              the same for machines\n"
          "  DIR/leak.ebbtide              the recording (SQLite); `ebbtide report` reads it\n"
          "                                (leak.ebbtide.PID.partial while it is written)\n") +
      exit_status);
}

void describe_connections(CLI::App& connections) {
  connections.description(
      "ebbtide connections - hold more and more connections, and say what each costs\n"
      "\n"
      "Opens each level's connections, holds them, closes them and waits until the server has\n"
      "settled. Reports how long connecting, upgrading and the first answer took, what one open\n"
      "connection costs in memory, how busy the event loop was, and at which level the server\n"
      "degrades and why.\n"
      "\n"
      "Examples\n"
      "    ebbtide connections ws://127.0.0.1:8000/ws\n"
      "\n"
      "  Larger levels, held for longer, with a subscription on each.\n"
      "    ebbtide connections ws://127.0.0.1:8000/ws --levels 1000,5000,20000 --hold 30 \\\n"
      "        --send '{\"type\":\"subscribe\",\"matchId\":1}' --expect subscribed\n"
      "\n"
      "  New connections come by the clock, 200 a second, whether the server keeps up or not.\n"
      "    ebbtide connections wss://localhost:8443/ws --insecure --rate 200");
  connections.footer(
      std::string("\nFiles\n"
                  "  DIR/06-03-websocket-profile.md  the report; its first line is the answer\n"
                  "  DIR/results-connections.json    the same for machines\n"
                  "  DIR/connections.ebbtide         the recording (SQLite)\n") +
      load_exit_status);
}

void describe_broadcast(CLI::App& broadcast) {
  broadcast.description(
      "ebbtide broadcast - have messages broadcast, and say who gets them and how soon\n"
      "\n"
      "Opens the clients, then triggers broadcasts for a while. Every message is known by a token\n"
      "of its own, so that what is lost, duplicated or out of order is counted, and each latency\n"
      "is taken by the kernel's time stamps. Says what one waits for: the WebSocket layer, the\n"
      "trigger, or a database behind it.\n"
      "\n"
      "Examples\n"
      "    ebbtide broadcast ws://127.0.0.1:8000/ws \\\n"
      "        --send '{\"type\":\"subscribe\",\"matchId\":1}' --expect subscribed \\\n"
      "        --trigger 'POST http://127.0.0.1:8000/matches/1/commentary' \\\n"
      "        --body '{\"minute\":1,\"text\":\"{token}\"}'\n"
      "\n"
      "  A chat: what one client says goes to all. 50 messages a second for 10 seconds.\n"
      "    ebbtide broadcast ws://127.0.0.1:8000/ws --trigger ws://127.0.0.1:8000/ws \\\n"
      "        --body '{\"say\":\"{token}\"}' --rate 50 --duration 10\n"
      "\n"
      "  Does the server's memory grow for clients that do not read?\n"
      "    ebbtide broadcast … --clients 50 --slow-clients 5");
  broadcast.footer(
      std::string("\nFiles\n"
                  "  DIR/06-03-broadcast-profile.md  the report; its first line is the answer\n"
                  "  DIR/results-broadcast.json      the same for machines\n"
                  "  DIR/broadcast.ebbtide           the recording (SQLite)\n") +
      load_exit_status);
}

void describe_profile(CLI::App& profile) {
  profile.description(
      "ebbtide profile - connections, broadcast and leak in this order, and a summary\n"
      "\n"
      "What to run may stand in ebbtide.toml, so that a project checks it in. Options of all runs\n"
      "are written by their long names; what the command line says goes before the file.\n"
      "\n"
      "    url = \"ws://127.0.0.1:8000/ws\"\n"
      "    steps = [{send = '{\"type\":\"subscribe\",\"matchId\":1}'}, {expect = \"subscribed\"}]\n"
      "\n"
      "    [connections]\n"
      "    levels = [10, 50, 100, 500, 1000]\n"
      "\n"
      "    [broadcast]\n"
      "    trigger = \"POST http://127.0.0.1:8000/matches/1/commentary\"\n"
      "    body = '{\"minute\":1,\"text\":\"{token}\"}'\n"
      "\n"
      "    [leak]\n"
      "    cycles = 20\n"
      "\n"
      "Examples\n"
      "    ebbtide profile\n"
      "    ebbtide profile ws://127.0.0.1:8000/ws --levels 10,100 --cycles 5\n"
      "    ebbtide profile --config staging.toml -o profiling/staging");
  profile.footer(
      std::string("\nFiles\n"
                  "  DIR/06-03-SUMMARY.md  what was found; each figure names its report\n"
                  "  and those of connections, broadcast and leak\n") +
      "\nExit status\n"
      "  the first of these that holds for one of the runs\n"
      "  1   it could not be done; the others ran nevertheless\n"
      "  2   LEAK\n"
      "  3   INCONCLUSIVE, or a run did not get to its end\n"
      "  0   none of them\n"
      "  64  wrong usage; nothing ran\n");
}

void describe_report(CLI::App& report) {
  report.description(
      "ebbtide report - write the report of a recording again, byte for byte\n"
      "\n"
      "Also reads the recording of a run that was killed: its finished cycles are analysed.\n"
      "\n"
      "Examples\n"
      "    ebbtide report profiling/leak.ebbtide\n"
      "    ebbtide report leak.ebbtide.4711.partial -o elsewhere/");
  report.footer(exit_status);
}

void describe_compare(CLI::App& compare) {
  compare.description(
      "ebbtide compare - what a fix, or another Node version, made better, worse, or neither\n"
      "\n"
      "Reads two recordings of one kind, or two directories that hold recordings of the same\n"
      "kinds. Each figure of one is paired with the other's, with an interval of the difference;\n"
      "so are the causes. In what else the runs differ is said.\n"
      "\n"
      "Examples\n"
      "    ebbtide compare before/leak.ebbtide after/leak.ebbtide\n"
      "    ebbtide compare profiling/main profiling/branch -o build/compare");
  compare.footer(
      "\nFiles\n"
      "  DIR/06-03-compare.md  the report, only with -o\n"
      "\nExit status\n"
      "  0   fixed, better, or the same\n"
      "  2   worse\n"
      "  3   nothing could be decided: too few cycles, or runs of different kinds\n"
      "  1   the work could not be done; the message says why and how to mend it\n"
      "  64  wrong usage\n");
}

void describe_heap(CLI::App& heap) {
  heap.description(
      "ebbtide heap - what JavaScript heaps hold, what in them grows, and which line keeps it\n"
      "\n"
      "Reads snapshots as DevTools, --heapsnapshot-signal and v8.writeHeapSnapshot() write them;\n"
      "scripts and source maps are read where the snapshot says they lie. One file is counted,\n"
      "three and more are compared: take each in the same state, with as many connections made\n"
      "in between. With --pid a live Node process is looked into from outside: its threads are\n"
      "held for milliseconds, no inspector is opened, nothing is collected.\n"
      "\n"
      "Examples\n"
      "    ebbtide heap before.heapsnapshot middle.heapsnapshot after.heapsnapshot\n"
      "    ebbtide heap --connections 100 *.heapsnapshot\n"
      "    ebbtide heap --pid \"$(pgrep -n node)\"");
  heap.footer(
      "\nExit status\n"
      "  0   nothing keeps growing, or one heap was counted\n"
      "  2   something keeps growing\n"
      "  3   two snapshots are too few to tell\n"
      "  1   the work could not be done; the message says why and how to mend it\n"
      "  64  wrong usage\n");
}

void describe_doctor(CLI::App& doctor) {
  doctor.description(
      "ebbtide doctor - what this machine and this process allow, and the command that mends it\n"
      "\n"
      "Examples\n"
      "    ebbtide doctor\n"
      "    ebbtide doctor --pid \"$(pgrep -n node)\"");
}

void describe_review(CLI::App& review) {
  review.description(
      "ebbtide review - what a server's source takes for each connection and never gives back\n"
      "\n"
      "Reads JavaScript and TypeScript; follows what runs when a connection comes, speaks and\n"
      "ends, through functions, classes and files. Nothing is run, node_modules is not read.\n"
      "\n"
      "Examples\n"
      "    ebbtide review server/src\n"
      "    ebbtide review --format sarif src > review.sarif\n"
      "\n"
      "  A finding that is meant to be: on its line, or alone on the line before.\n"
      "    clients.add(ws);  // ebbtide-ignore LC001 emptied by the supervisor");
  review.footer(
      "\nExit status\n"
      "  0   nothing found that --fail-on names\n"
      "  2   such a finding stands\n"
      "  1   the work could not be done; the message says why and how to mend it\n"
      "  64  wrong usage\n");
}

}  // namespace ebbtide
