#include "analysis/review/servers.h"

#include <algorithm>
#include <array>
#include <string>

#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

constexpr std::array serving_packages = {
    "ws",   "socket.io", "express-ws", "@fastify/websocket", "fastify-websocket",
    "net",  "tls",       "websocket",  "@nestjs/websockets", "uWebSockets.js",
    "http", "https",     "express"};

class ServerFinder {
 public:
  ServerFinder(const Ast& ast, const Scopes& scopes, const Classes& classes, const Modules& modules,
               Values& values)
      : ast_(ast), scopes_(scopes), classes_(classes), modules_(modules), values_(values) {}

  Servers run() {
    for (NodeId node = 1; node < ast_.size(); node++) {
      if (ast_.is(node, call_expression)) look_at_call(node);
      if (ast_.is(node, new_expression)) look_at_maker(node);
      if (ast_.is(node, decorator)) look_at_decorator(node);
    }
    look_for_handlers_by_use();
    return std::move(found_);
  }

 private:
  [[nodiscard]] NodeId root_of(NodeId node) const { return ast_.files()[ast_.file_of(node)].root; }

  void look_at_maker(NodeId node) {
    const std::string made = values_.external(node);
    if (made == "ws:WebSocketServer()" || made == "ws:Server()") found_.makers.push_back(node);
  }

  void look_at_call(NodeId call) {
    const Callee callee = callee_of(ast_, call);
    const std::string_view event = string_value(ast_, argument(ast_, call, 0));
    if (callee.object == 0 || callee.name == "createServer") return look_at_plain_server(call);
    const bool listens = is_listener_adder(callee.name) || callee.name == "once";
    if (listens && event == "upgrade") return look_at_upgrade(call);
    if (callee.name == "handleUpgrade") return look_at_handled_upgrade(call);
    if (listens && (event == "connection" || event == "connect" || event == "request" ||
                    event == "secureConnection"))
      return look_at_listener(call, callee, event);
    if (callee.name == "ws") return look_at_route(call, callee);
    look_at_fastify(call, callee);
    look_at_http_route(call, callee);
  }

  // net.createServer((socket) => …), http.createServer((request, response) => …)
  void look_at_plain_server(NodeId call) {
    const std::string made = values_.external(call);
    const bool net = made == "net:createServer()" || made == "tls:createServer()";
    const bool http = made == "http:createServer()" || made == "https:createServer()";
    const auto given = arguments_of(ast_, call);
    if ((!net && !http) || given.empty()) return;
    add(net ? Library::net : Library::http, call, call, given.back(), 0);
    if (http) add(Library::http, call, call, given.back(), 1);
  }

  void look_at_listener(NodeId call, const Callee& callee, std::string_view event) {
    const NodeId handler = argument(ast_, call, 1);
    const std::string made = values_.external(callee.object);
    Library library = Library::unknown;
    for (const ServerPattern& pattern : server_patterns()) {
      if (pattern.event == event && made.starts_with(pattern.receiver)) library = pattern.library;
    }
    if (library == Library::unknown && made.empty() && event == "connection")
      library = by_surroundings(callee.object, handler);
    if (library == Library::unknown) return;
    if (library == Library::websocket_node && event == "request")
      return add_accepted(call, handler);
    add(library, call, callee.object, handler, 0);
    if (library == Library::http) add(library, call, callee.object, handler, 1);
  }

  // The server came in as a parameter that nobody here gives: its file or its name tell.
  Library by_surroundings(NodeId server, NodeId handler) {
    const NodeId root = root_of(server);
    const bool ws = modules_.imports_package(root, "ws");
    const bool io = modules_.imports_package(root, "socket.io");
    if (ws != io) return ws ? Library::ws : Library::socket_io;
    const std::string_view name = ast_.text(server);
    if (name.find("io") == 0 || name.ends_with(".io")) return Library::socket_io;
    if (name.find("wss") != std::string_view::npos || name.find("WSS") != std::string_view::npos ||
        name.find("Wss") != std::string_view::npos)
      return Library::ws;
    for (const NodeId function : values_.functions(handler)) {
      const Uses uses = uses_of_first_parameter(function);
      if (uses.emits || uses.joins) return Library::socket_io;
      if (uses.listens_to_messages) return Library::ws;
    }
    return Library::unknown;
  }

  // WebSocket-Node: the connection is what request.accept() returns.
  void add_accepted(NodeId call, NodeId handler) {
    for (const NodeId function : values_.functions(handler)) {
      walk(ast_, function, [&](NodeId node) {
        const NodeId value = unwrapped(ast_, ast_.child(node, Field::value));
        if (ast_.is(node, variable_declarator) && ast_.is(value, call_expression) &&
            callee_of(ast_, value).name == "accept") {
          found_.entries.push_back({.library = Library::websocket_node,
                                    .registration = call,
                                    .server = callee_of(ast_, call).object,
                                    .handler = function,
                                    .connection = ast_.child(node, Field::name)});
        }
        return true;
      });
    }
  }

  // app.ws("/path", (socket, request) => …) and uWS's app.ws("/*", { open, message, close }).
  void look_at_route(NodeId call, const Callee& callee) {
    const auto given = arguments_of(ast_, call);
    if (given.size() < 2) return;
    const NodeId root = root_of(call);
    const std::string made = values_.external(callee.object);
    NodeId behaviour = 0;
    for (const NodeId source : values_.sources(given.back())) {
      if (ast_.is(source, object)) behaviour = source;
    }
    if (behaviour == 0) {
      const bool known = modules_.imports_package(root, "express-ws") ||
                         made.starts_with("express:") || made.starts_with("express-ws:") ||
                         string_value(ast_, given.front()).starts_with("/");
      if (known) add(Library::express_ws, call, callee.object, given.back(), 0);
      return;
    }
    const ClassMembers* members = classes_.members(behaviour);
    for (const std::string_view name : {"open", "message", "close", "drain"}) {
      NodeId handler = 0;
      if (const auto method = members->methods.find(name); method != members->methods.end())
        handler = method->second;
      else if (const auto field = members->fields.find(name); field != members->fields.end())
        handler = field->second.front();
      if (handler == 0) continue;
      const std::size_t before = found_.entries.size();
      add(Library::uwebsockets, call, callee.object, handler, 0);
      for (std::size_t i = before; i < found_.entries.size(); i++) {
        found_.entries[i].is_close_handler = name == "close";
        found_.entries[i].is_message_handler = name == "message" || name == "drain";
      }
    }
  }

  void look_at_fastify(NodeId call, const Callee& callee) {
    for (const NodeId given : arguments_of(ast_, call)) {
      const NodeId options = unwrapped(ast_, given);
      if (!ast_.is(options, object)) continue;
      const ClassMembers* members = classes_.members(options);
      const auto flag = members->fields.find("websocket");
      const bool on = flag != members->fields.end() && ast_.is(flag->second.front(), true_);
      const auto last = arguments_of(ast_, call).back();
      NodeId handler = last == given ? 0 : last;
      for (const std::string_view name : {"wsHandler", "handler"}) {
        if (handler != 0 || (!on && name == "handler")) continue;
        if (const auto own = members->methods.find(name); own != members->methods.end())
          handler = own->second;
        else if (const auto field = members->fields.find(name); field != members->fields.end())
          handler = field->second.front();
      }
      if (on || members->methods.contains("wsHandler") || members->fields.contains("wsHandler"))
        add(Library::fastify_websocket, call, callee.object, handler, 0);
    }
  }

  void look_at_http_route(NodeId call, const Callee& callee) {
    for (const ServerPattern& pattern : server_patterns()) {
      if (pattern.library != Library::http || !pattern.event.empty() ||
          pattern.method != callee.name)
        continue;
      const auto given = arguments_of(ast_, call);
      if (given.size() < 2 || !values_.external(callee.object).starts_with(pattern.receiver))
        return;
      add(Library::http, call, callee.object, given.back(), 0);
      add(Library::http, call, callee.object, given.back(), 1);
    }
  }

  void look_at_upgrade(NodeId call) {
    const std::string on = values_.external(callee_of(ast_, call).object);
    if (on.ends_with(":request()") || on.ends_with(":get()")) return;  // a client's request
    for (const NodeId function : values_.functions(argument(ast_, call, 1))) {
      const auto parameters = parameters_of(ast_, function);
      if (parameters.size() < 2 || !ast_.is(parameters[1], identifier)) continue;
      if (ast_.text(parameters[0]).starts_with("res")) continue;  // the answer a client gets
      found_.upgrades.push_back({call, function, parameters[1]});
    }
  }

  // The callback of handleUpgrade gets the connection, unless it only passes it on.
  void look_at_handled_upgrade(NodeId call) {
    const NodeId callback = argument(ast_, call, 3);
    for (const NodeId function : values_.functions(callback)) {
      bool passes_on = false;
      walk(ast_, function, [&](NodeId node) {
        passes_on =
            passes_on || (ast_.is(node, call_expression) && callee_of(ast_, node).name == "emit" &&
                          string_value(ast_, argument(ast_, node, 0)) == "connection");
        return true;
      });
      if (!passes_on) add(Library::ws, call, callee_of(ast_, call).object, callback, 0);
    }
  }

  void look_at_decorator(NodeId decorator_node) {
    const std::string_view text = ast_.text(decorator_node);
    if (!text.starts_with("@WebSocketGateway")) return;
    NodeId gateway = ast_.parent(decorator_node);
    if (!is_class(ast_, gateway)) gateway = ast_.child(gateway, Field::declaration);
    const ClassMembers* members = classes_.members(gateway);
    if (members == nullptr) return;
    NodeId before = 0;
    for (const NodeId member : ast_.children(ast_.child(gateway, Field::body))) {
      const std::string_view name = ast_.text(ast_.child(member, Field::name));
      const bool subscribed = before != 0;
      before = ast_.is(member, decorator) && ast_.text(member).starts_with("@SubscribeMessage")
                   ? member
               : ast_.is(member, decorator) ? before
                                            : 0;
      if (!ast_.is(member, method_definition)) continue;
      const bool opens = name == "handleConnection", closes = name == "handleDisconnect";
      if (!opens && !closes && !subscribed) continue;
      found_.entries.push_back({.library = Library::nestjs,
                                .registration = gateway,
                                .handler = member,
                                .connection = gateway_connection(member, subscribed),
                                .is_close_handler = closes,
                                .is_message_handler = subscribed});
    }
  }

  [[nodiscard]] NodeId gateway_connection(NodeId method, bool subscribed) const {
    NodeId by_type = 0;
    for (const NodeId parameter : ast_.children(ast_.child(method, Field::parameters))) {
      const NodeId pattern = ast_.child(parameter, Field::pattern);
      const std::string_view text = ast_.text(parameter);
      if (text.find("@ConnectedSocket") != std::string_view::npos) return pattern;
      const bool socket_type =
          ast_.text(ast_.child(parameter, Field::type)).find("Socket") != std::string_view::npos;
      if (by_type == 0 && (socket_type || !subscribed) &&
          text.find("@MessageBody") == std::string_view::npos)
        by_type = pattern;
    }
    return by_type;
  }

  struct Uses {
    bool listens_to_messages = false;
    bool listens_to_close = false;
    bool listens_to_open = false;  // a client's socket
    bool sends = false;
    bool emits = false;
    bool joins = false;
  };

  Uses uses_of_first_parameter(NodeId function) {
    const auto parameters = parameters_of(ast_, function);
    return parameters.empty() ? Uses{} : uses_of(parameters.front(), function);
  }

  Uses uses_of(NodeId declaration, NodeId function) {
    Uses uses;
    walk(ast_, function, [&](NodeId node) {
      if (!ast_.is(node, call_expression)) return true;
      const Callee callee = callee_of(ast_, node);
      if (callee.object == 0 || scopes_.declaration_of(callee.object) != declaration) return true;
      const std::string_view event = string_value(ast_, argument(ast_, node, 0));
      const bool listens = is_listener_adder(callee.name) || callee.name == "once";
      uses.listens_to_messages |= listens && event == "message";
      uses.listens_to_close |= listens && (event == "close" || event == "disconnect");
      uses.listens_to_open |= listens && event == "open";
      uses.sends |= callee.name == "send";
      uses.emits |= callee.name == "emit";
      uses.joins |= callee.name == "join";
      return true;
    });
    return uses;
  }

  // A handler exported to a file that was not read: known by what it does with its parameter.
  void look_for_handlers_by_use() {
    for (NodeId node = 1; node < ast_.size(); node++) {
      if (!is_function(ast_, node)) continue;
      for (const NodeId parameter : parameters_of(ast_, node)) {
        if (!ast_.is(parameter, identifier) || is_known(parameter) ||
            !values_.calls_of(node).empty() || is_of_a_client(node))
          continue;
        const Uses uses = uses_of(parameter, node);
        const bool server_side = uses.listens_to_messages &&
                                 (uses.listens_to_close || uses.sends) && !uses.listens_to_open;
        if (!server_side) continue;
        const bool io = uses.emits || uses.joins;
        found_.entries.push_back({.library = io ? Library::socket_io : Library::ws,
                                  .registration = node,
                                  .handler = node,
                                  .connection = parameter});
      }
    }
  }

  // client.on("connect", (connection) => …) of something that connects.
  [[nodiscard]] bool is_of_a_client(NodeId function) {
    const NodeId call = ast_.parent(ast_.parent(function));
    if (!ast_.is(call, call_expression)) return false;
    const Callee callee = callee_of(ast_, call);
    return string_value(ast_, argument(ast_, call, 0)) == "connect" &&
           values_.external(callee.object).find("lient") != std::string::npos;
  }

  [[nodiscard]] bool is_known(NodeId declaration) {
    if (values_.sources(declaration) != std::vector<NodeId>{declaration}) return true;
    return std::any_of(found_.entries.begin(), found_.entries.end(),
                       [&](const ServerEntry& e) { return e.connection == declaration; });
  }

  void add(Library library, NodeId registration, NodeId server, NodeId handler,
           std::size_t parameter) {
    for (const NodeId function : values_.functions(handler)) {
      const auto parameters = parameters_of(ast_, function);
      const NodeId name = parameter < parameters.size() ? parameters[parameter] : 0;
      if (parameter > 0 && name == 0) continue;
      found_.entries.push_back({.library = library,
                                .registration = registration,
                                .server = server,
                                .handler = function,
                                .connection = ast_.is(name, identifier) ? name : 0});
    }
  }

  const Ast& ast_;
  const Scopes& scopes_;
  const Classes& classes_;
  const Modules& modules_;
  Values& values_;
  Servers found_;
};

}  // namespace

bool may_serve_connections(const Ast& ast, const Modules& modules) {
  for (const AstFile& file : ast.files()) {
    for (const std::string_view package : serving_packages) {
      if (modules.imports_package(file.root, package)) return true;
    }
  }
  for (NodeId node = 1; node < ast.size(); node++) {
    if (ast.is(node, decorator) && ast.text(node).starts_with("@WebSocketGateway")) return true;
    if (!ast.is(node, call_expression)) continue;
    const std::string_view name = callee_of(ast, node).name;
    if (name == "ws") return true;
    if ((is_listener_adder(name) || name == "once") &&
        one_of(string_value(ast, argument(ast, node, 0)), {"connection", "message", "upgrade"}))
      return true;
  }
  return false;
}

Servers find_servers(const Ast& ast, const Scopes& scopes, const Classes& classes,
                     const Modules& modules, Values& values) {
  return ServerFinder(ast, scopes, classes, modules, values).run();
}

}  // namespace ebbtide
