// LC010, RB003, RB004: sockets before they are connections.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analysis/review/rules/families.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

// What can be said of the socket when a stretch of statements is over.
struct PathEnd {
  bool settled = false;  // handed over, destroyed or ended
  bool left = false;     // by return or throw
};

class UpgradeRules {
 public:
  UpgradeRules(const ReviewSubject& subject, RuleFindings& findings)
      : s_(subject), findings_(findings) {}

  void run() {
    std::map<NodeId, int> handlers;
    for (const UpgradeEntry& entry : s_.scope.servers().upgrades)
      handlers[s_.ast.file_of(entry.registration)]++;
    for (const UpgradeEntry& entry : s_.scope.servers().upgrades) {
      const bool alone = handlers[s_.ast.file_of(entry.registration)] == 1;
      if (alone) look_at_paths(entry);
      look_at_guards(entry);
      look_at_second_answer(entry);
    }
    look_at_shared_servers();
  }

 private:
  [[nodiscard]] NodeId at_handler(const UpgradeEntry& entry) const {
    return s_.ast.contains(entry.registration, entry.handler) ? entry.registration : entry.handler;
  }

  void look_at_paths(const UpgradeEntry& entry) {
    socket_ = entry.socket;
    open_path_ = 0;
    const NodeId body = s_.ast.child(entry.handler, Field::body);
    const PathEnd end = follow(body, {}, 0);
    if (open_path_ == 0 && !end.settled && !end.left) open_path_ = body;
    if (open_path_ == 0) {
      findings_.passed("LC010", "every path of the upgrade handler settles the socket",
                       {findings_.evidence(at_handler(entry), "")});
      return;
    }
    const std::string_view socket = s_.ast.text(entry.socket);
    auto* finding = findings_.report(
        "LC010", at_handler(entry),
        fmt::format("on some paths `{}` is neither handed over nor destroyed and stays open",
                    socket));
    if (finding == nullptr) return;
    finding->resource = ReviewResource::connection;
    finding->runs = review_moment::before_upgrade;
    if (open_path_ != body)
      finding->evidence.push_back(findings_.evidence(open_path_, "this path leaves it open"));
    finding->fix = fmt::format("{}.destroy();", socket);
  }

  // Statements in order; `open_path_` becomes the first return that leaves the socket open.
  PathEnd follow(NodeId statement, PathEnd now, int depth) {
    if (statement == 0 || now.left || depth > 60) return now;
    if (s_.ast.is_any(statement, statement_block, else_clause, switch_case, switch_default,
                      finally_clause)) {
      for (const NodeId each : s_.ast.children(statement)) now = follow(each, now, depth + 1);
      return now;
    }
    if (s_.ast.is(statement, if_statement)) {
      now.settled = now.settled || settles(s_.ast.child(statement, Field::condition));
      const PathEnd yes = follow(s_.ast.child(statement, Field::consequence), now, depth + 1);
      const PathEnd no = follow(s_.ast.child(statement, Field::alternative), now, depth + 1);
      return join(yes, no);
    }
    if (s_.ast.is(statement, try_statement)) {
      const PathEnd body = follow(s_.ast.child(statement, Field::body), now, depth + 1);
      const NodeId handler = s_.ast.child(statement, Field::handler);
      const PathEnd caught = follow(s_.ast.child(handler, Field::body), now, depth + 1);
      const PathEnd end = handler == 0 ? body : join(body, caught);
      return follow(s_.ast.child(statement, Field::finalizer), end, depth + 1);
    }
    if (s_.ast.is(statement, switch_statement)) return follow_switch(statement, now, depth);
    now.settled = now.settled || settles(statement);
    if (s_.ast.is_any(statement, return_statement, throw_statement)) {
      now.left = true;
      if (!now.settled && s_.ast.is(statement, return_statement) && open_path_ == 0)
        open_path_ = statement;
    }
    return now;
  }

  PathEnd follow_switch(NodeId statement, PathEnd now, int depth) {
    PathEnd end{.settled = true, .left = true};
    bool has_default = false;
    for (const NodeId each : s_.ast.children(s_.ast.child(statement, Field::body))) {
      if (s_.ast.first_child(each) == 0) continue;
      has_default = has_default || s_.ast.is(each, switch_default);
      end = join(end, follow(each, now, depth + 1));
    }
    return has_default ? end : join(end, now);
  }

  static PathEnd join(PathEnd a, PathEnd b) {
    if (a.left) return {b.settled, b.left};
    if (b.left) return {a.settled, a.left};
    return {a.settled && b.settled, false};
  }

  // Ends the socket, or gives it to somebody who may.
  [[nodiscard]] bool settles(NodeId statement) const {
    bool found = false;
    const auto look = [&](NodeId node) {
      // A function settles something when it is handed over, not by being written down.
      if (is_function(s_.ast, node) && !s_.ast.is(s_.ast.parent(node), arguments)) return false;
      if (found || !s_.ast.is_any(node, call_expression, new_expression)) return !found;
      const Callee callee = callee_of(s_.ast, node);
      if (is_socket(callee.object)) {
        found = one_of(callee.name, {"destroy", "end", "destroySoon", "pipe", "resetAndDestroy"});
        return !found && !is_listener_adder(callee.name) && !is_listener_remover(callee.name);
      }
      if (one_of(callee.name, {"log", "info", "warn", "error", "debug"})) return true;
      for (const NodeId given : arguments_of(s_.ast, node)) found = found || is_socket(given);
      return !found;
    };
    if (look(statement)) walk(s_.ast, statement, look);
    return found;
  }

  [[nodiscard]] bool is_socket(NodeId expression) const {
    expression = unwrapped(s_.ast, expression);
    return expression != 0 && s_.scopes.declaration_of(expression) == socket_;
  }

  void look_at_guards(const UpgradeEntry& entry) {
    NodeId thrower = 0, awaited = 0;
    walk(s_.ast, entry.handler, [&](NodeId node) {
      if (is_function(s_.ast, node)) return false;
      const bool caught = is_in_try(node, entry.handler);
      if (!caught && thrower == 0 && throws(node)) thrower = node;
      if (awaited == 0 && s_.ast.is(node, await_expression)) {
        awaited = node;
        if (!caught && thrower == 0) thrower = node;
      }
      return true;
    });
    const bool heard = listens_to_errors(entry);
    if (thrower == 0 && (awaited == 0 || heard)) {
      findings_.passed("RB003", "nothing thrown in the upgrade handler ends the process",
                       {findings_.evidence(at_handler(entry), "")});
      return;
    }
    const NodeId because = thrower != 0 ? thrower : awaited;
    auto* finding = findings_.report(
        "RB003", at_handler(entry),
        thrower != 0
            ? fmt::format("`{}` can throw or reject here, which ends the process",
                          brief(s_.ast, thrower, 40))
            : fmt::format("`{}` has no error listener while it waits", s_.ast.text(entry.socket)));
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(because, "here")};
    finding->fix = fmt::format("try {{ … }} catch {{ {}.destroy(); }}", s_.ast.text(entry.socket));
  }

  // What a request can make throw.
  [[nodiscard]] bool throws(NodeId node) const {
    if (!s_.ast.is_any(node, new_expression, call_expression)) return false;
    const Callee callee = callee_of(s_.ast, node);
    if (s_.ast.is(node, new_expression)) return callee.name == "URL" && callee.object == 0;
    const bool parses = callee.name == "parse" && s_.ast.text(callee.object) == "JSON";
    return parses || one_of(callee.name, {"decodeURIComponent", "decodeURI"}) ||
           (callee.name == "verify" && arguments_of(s_.ast, node).size() == 2);
  }

  [[nodiscard]] bool is_in_try(NodeId node, NodeId function) const {
    for (NodeId at = node; at != 0 && at != function; at = s_.ast.parent(at)) {
      const NodeId around = s_.ast.parent(at);
      if (s_.ast.is(around, try_statement) && s_.ast[at].field == Field::body &&
          s_.ast.child(around, Field::handler) != 0)
        return true;
    }
    return false;
  }

  [[nodiscard]] bool listens_to_errors(const UpgradeEntry& entry) {
    socket_ = entry.socket;
    bool found = false;
    walk(s_.ast, entry.handler, [&](NodeId node) {
      if (!s_.ast.is(node, call_expression)) return true;
      const Callee callee = callee_of(s_.ast, node);
      found = found || (is_socket(callee.object) &&
                        string_value(s_.ast, argument(s_.ast, node, 0)) == "error");
      return true;
    });
    return found;
  }

  // handleUpgrade after an earlier one that did not return, or by a server that answers already.
  void look_at_second_answer(const UpgradeEntry& entry) {
    std::vector<NodeId> answers;
    walk(s_.ast, entry.handler, [&](NodeId node) {
      if (s_.ast.is(node, call_expression) && callee_of(s_.ast, node).name == "handleUpgrade")
        answers.push_back(node);
      return true;
    });
    for (const NodeId answer : answers) {
      for (const NodeId source : s_.values.sources(callee_of(s_.ast, answer).object)) {
        if (has_option(source, "server") || has_option(source, "port"))
          return report_second(at_handler(entry), source, "the server answers upgrades by itself");
      }
    }
    for (std::size_t i = 1; i < answers.size(); i++) {
      for (std::size_t earlier = 0; earlier < i; earlier++) {
        if (falls_through(answers[earlier], answers[i]))
          return report_second(at_handler(entry), answers[earlier],
                               "the path of the first goes on to the second");
      }
    }
  }

  void report_second(NodeId at, NodeId because, const std::string& note) {
    auto* finding = findings_.report("RB004", at, "a socket can be upgraded twice, which throws");
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(because, note)};
    finding->fix = "return after handleUpgrade, and use { noServer: true }";
  }

  [[nodiscard]] bool has_option(NodeId made, std::string_view name) const {
    if (!s_.ast.is(made, new_expression)) return false;
    const ClassMembers* options = s_.classes.members(s_.values.instance(argument(s_.ast, made, 0)));
    return options != nullptr && options->fields.contains(name) &&
           s_.values.external(made).starts_with("ws:");
  }

  // The block of the first ends without leaving, and the second comes after it.
  [[nodiscard]] bool falls_through(NodeId first, NodeId second) const {
    for (NodeId at = first; at != 0 && !s_.ast.contains(at, second); at = s_.ast.parent(at)) {
      if (is_function(s_.ast, at)) return false;
      const NodeId around = s_.ast.parent(at);
      if (s_.ast.is(at, return_statement) || s_.ast.is(at, else_clause)) return false;
      if (s_.ast.is(around, if_statement) && s_.ast.contains(around, second)) return false;
      if (!s_.ast.is(around, statement_block)) continue;
      for (NodeId next = s_.ast.next_sibling(at); next != 0; next = s_.ast.next_sibling(next)) {
        if (s_.ast.contains(next, second)) return true;
        if (s_.ast.is_any(next, return_statement, throw_statement, break_statement)) return false;
      }
    }
    return true;
  }

  // Two servers with { server }: each answers 400 to what is the other's.
  void look_at_shared_servers() {
    std::map<std::string, NodeId> by_server;
    for (const NodeId maker : s_.scope.servers().makers) {
      const ClassMembers* options =
          s_.classes.members(s_.values.instance(argument(s_.ast, maker, 0)));
      if (options == nullptr) continue;
      const auto field = options->fields.find("server");
      if (field == options->fields.end()) continue;
      const Place server = s_.values.place(field->second.front());
      if (!server.known()) continue;
      const auto [first, fresh] =
          by_server.emplace(fmt::format("{}{}", server.root, server.path), maker);
      if (fresh) continue;
      auto* finding = findings_.report(
          "RB004", maker,
          "two servers answer the upgrades of one HTTP server: each refuses what is the other's");
      if (finding == nullptr) continue;
      finding->evidence = {findings_.evidence(first->second, "the first")};
      finding->fix = "{ noServer: true } and one 'upgrade' listener that chooses by path";
    }
  }

  const ReviewSubject& s_;
  RuleFindings& findings_;
  NodeId socket_ = 0;
  NodeId open_path_ = 0;
};

}  // namespace

void check_upgrades(const ReviewSubject& subject, RuleFindings& findings) {
  UpgradeRules(subject, findings).run();
}

}  // namespace ebbtide
