// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// conclave's MLS behind a line protocol, so that it can be tested against other implementations: one JSON object a
/// line in, one out. docs/interop.md describes the requests.
#include <support/hex.hpp>

#include <conclave/mls/external_proposal.hpp>
#include <conclave/mls/group.hpp>

#include <nlohmann/json.hpp>

#include <deque>
#include <iostream>
#include <map>
#include <memory>

namespace {

using namespace conclave;
using namespace conclave::mls;
using conclave_test::from_hex;
using conclave_test::to_hex;
using nlohmann::json;

template <class T>
T must(result<T>&& r) {
  if (!r) {
    std::string why = text(r.error().code());
    if (const rule* broken = r.error().broken_rule()) why += std::string(": ") + broken->name;
    throw std::runtime_error(why);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(r);
}

bytes bytes_of(const json& object, const char* key) {
  return object.contains(key) ? from_hex(object[key].get<std::string>()) : bytes{};
}

/// arena: what the views of one request point into.
using arena = std::deque<bytes>;
byte_view keep(arena& a, bytes b) { return a.emplace_back(std::move(b)); }

/// opaque(items): the data of a ratchet_tree extension; items_of() takes the length off again.
bytes opaque(byte_view items) {
  bytes out;
  writer w{out};
  w.opaque(items);
  return out;
}
std::optional<bytes> items_of(const json& request) {
  const bytes tree = bytes_of(request, "ratchet_tree");
  if (tree.empty()) return std::nullopt;
  return to_bytes(must(wire::decode<byte_view>(tree)));
}

/// extension_items({{"type": 1, "data": hex}, ...})
bytes extension_items(const json& list) {
  arena a;
  std::vector<extension> out;
  for (const json& e : list)
    out.push_back({extension_type{e.at("type").get<std::uint16_t>()}, keep(a, bytes_of(e, "data"))});
  return wire::encode_items(out);
}

/// device: one client: its keys, its pre-shared keys and its groups.
class device final : public psk_source {
 public:
  device(environment& env, const json& request)
      : env_{env}, identity_{bytes_of(request, "identity")}, suite_{request.at("suite").get<std::uint16_t>()} {
    policy_.handshakes = request.value("handshakes", "private") == std::string("public") ? wire_format::public_message
                                                                                         : wire_format::private_message;
    policy_.tree_in_welcome = request.value("tree_in_welcome", true);
    policy_.psks = this;
    for (const json& type : request.value("extensions", json::array()))
      extensions_.push_back(extension_type{type.get<std::uint16_t>()});
    (void)me();
  }

  [[nodiscard]] result<secret_bytes> external(byte_view psk_id) override { return find(external_, to_hex(psk_id)); }
  [[nodiscard]] result<secret_bytes> resumption(byte_view group_id, std::uint64_t epoch) override {
    return find(resumption_, to_hex(group_id) + "/" + std::to_string(epoch));
  }

  json answer(const json& request) {
    const auto op = request.at("op").get<std::string>();
    const auto name = request.value("group", std::string("main"));
    if (op == "psk") {
      const bytes psk = bytes_of(request, "psk");
      external_[to_hex(bytes_of(request, "psk_id"))] = secret_bytes(psk.begin(), psk.end());
      return json::object();
    }
    if (op == "key_package") {
      const auto& package = packages_.emplace_back(must(make_key_package<default_provider>(
          env_, must(basic_suite<default_provider>::make(suite_of(request))), me(suite_of(request)), {})));
      return {{"key_package", to_hex(package.message)}};
    }
    if (op == "create") {
      enter(name, must(group::create(env_, suite_, me().clone(), bytes_of(request, "group_id"),
                                     extension_items(request.value("extensions", json::array())), policy_)));
      return json::object();
    }
    if (op == "join") return join(name, request);
    if (op == "external_join") return external_join(name, request);
    if (op == "propose_add") {
      auto& package = packages_.emplace_back(
          must(make_key_package<default_provider>(env_, must(basic_suite<default_provider>::make(suite_)), me(), {})));
      return {{"proposal", to_hex(must(new_member_add(env_, must(basic_suite<default_provider>::make(suite_)),
                                                      bytes_of(request, "group_id"),
                                                      request.at("epoch").get<std::uint64_t>(), me(), package)))}};
    }
    if (op == "forget") {
      pending_.erase(name);
      groups_.erase(name);
      return json::object();
    }
    const auto found = groups_.find(name);
    if (found == groups_.end()) throw std::runtime_error("no group " + name);
    return in_group(name, found->second, op, request);
  }

 private:
  template <class Map>
  static result<secret_bytes> find(const Map& keys, const std::string& id) {
    const auto found = keys.find(id);
    if (found == keys.end()) return errc::unknown_key;
    return found->second;
  }

  [[nodiscard]] cipher_suite suite_of(const json& request) const {
    return request.contains("suite") ? cipher_suite{request["suite"].get<std::uint16_t>()} : suite_;
  }
  const client& me() { return me(suite_); }
  const client& me(cipher_suite suite) {
    auto& out = clients_[suite];
    if (out.credential.empty()) {
      out.signer = must(signature_key::generate<default_provider>(
          env_, must(basic_suite<default_provider>::make(suite)).signature()));
      out.credential = identity_;
      out.extensions = extensions_;
    }
    return out;
  }

  void remember(const group& g) {
    const byte_view psk = g.resumption().reveal();
    resumption_[to_hex(g.group_id()) + "/" + std::to_string(g.epoch_number())] = secret_bytes(psk.begin(), psk.end());
  }
  group& enter(const std::string& name, group&& g) {
    pending_.erase(name);
    groups_.erase(name);
    group& out = groups_.emplace(name, std::move(g)).first->second;
    remember(out);
    return out;
  }

  json join(const std::string& name, const json& request) {
    const bytes input = bytes_of(request, "welcome");
    const auto tree = items_of(request);
    const auto decoded = must(message::decode(input));
    const auto is_for = [&](const prepared_key_package& p) {
      for (const encrypted_group_secrets entry : decoded.welcome.secrets)
        if (equal(entry.new_member, p.reference.view())) return true;
      return false;
    };
    const auto package = std::ranges::find_if(packages_, is_for);
    if (package == packages_.end()) throw std::runtime_error("a Welcome for somebody else");
    join_options options;
    if (tree) options.ratchet_tree = *tree;
    const client& as = me(decoded.welcome.suite);
    enter(name, request.contains("predecessor")
                    ? must(groups_.at(request["predecessor"])
                               .join_successor(env_, as.clone(), std::move(*package), input, options, policy_))
                    : must(group::join(env_, as.clone(), std::move(*package), input, options, policy_)));
    packages_.erase(package);
    return json::object();
  }

  json external_join(const std::string& name, const json& request) {
    external_join_options options;
    const bytes info = bytes_of(request, "group_info");
    const auto tree = items_of(request);
    if (tree) options.join.ratchet_tree = *tree;
    options.resync = request.value("resync", false);
    auto joined = must(group::join_external(env_, me().clone(), info, options, policy_));
    enter(name, std::move(joined.group));
    return {{"commit", to_hex(joined.commit)}};
  }

  /// proposal_of(json): all that have a content of their own; an Update has none, and an Add is a key package.
  proposal proposal_of(const group& g, const json& p, arena& a) {
    const auto type = p.at("type").get<std::string>();
    proposal out;
    if (type == "remove") {
      out.type = proposal_type::remove;
      out.remove = leaf_index{p.at("leaf").get<std::uint32_t>()};
    } else if (type == "psk") {
      out.type = proposal_type::psk;
      out.psk.psk_nonce = keep(a, must(fresh_nonce(env_, g.suite())));
      if (p.contains("psk_id")) {
        out.psk.type = psk_type::external;
        out.psk.psk_id = keep(a, bytes_of(p, "psk_id"));
      } else {
        out.psk.type = psk_type::resumption;
        out.psk.usage = resumption_psk_usage::application;
        out.psk.psk_group_id = keep(a, bytes_of(p, "group_id"));
        out.psk.psk_epoch = p.at("epoch").get<std::uint64_t>();
      }
    } else if (type == "reinit") {
      out.type = proposal_type::reinit;
      const auto items = keep(a, extension_items(p.value("extensions", json::array())));
      out.reinit = {keep(a, bytes_of(p, "group_id")), protocol_version::mls10,
                    cipher_suite{p.at("suite").get<std::uint16_t>()}, must(extension_list::check(items))};
    } else if (type == "group_context_extensions") {
      out.type = proposal_type::group_context_extensions;
      out.group_context_extensions = must(extension_list::check(keep(a, extension_items(p.at("extensions")))));
    } else {
      throw std::runtime_error("no proposal " + type);
    }
    return out;
  }

  json propose(group& g, const json& p) {
    arena a;
    const auto type = p.at("type").get<std::string>();
    const bytes out = type == "add"      ? must(g.propose_add(env_, bytes_of(p, "key_package")))
                      : type == "update" ? must(g.propose_update(env_))
                                         : must(g.propose(env_, proposal_of(g, p, a)));
    return {{"proposal", to_hex(out)}};
  }

  json commit(const std::string& name, group& g, const json& request) {
    arena a;
    std::vector<byte_view> add;
    std::vector<leaf_index> remove;
    std::vector<pre_shared_key_id> psks;
    commit_request wanted;
    for (const json& p : request.value("proposals", json::array())) {
      if (p.at("type") == "add") {
        add.push_back(keep(a, bytes_of(p, "key_package")));
        continue;
      }
      const proposal made = proposal_of(g, p, a);
      if (made.type == proposal_type::remove) remove.push_back(made.remove);
      if (made.type == proposal_type::psk) psks.push_back(made.psk);
      if (made.type == proposal_type::reinit) wanted.reinit_as = made.reinit;
      if (made.type == proposal_type::group_context_extensions)
        wanted.extensions = made.group_context_extensions.encoded();
    }
    wanted.add = add;
    wanted.remove = remove;
    wanted.psks = psks;
    wanted.path = request.value("path", true);
    const bytes authenticated = bytes_of(request, "authenticated_data");
    wanted.authenticated_data = authenticated;
    auto made = must(g.commit(env_, wanted));
    json out{{"commit", to_hex(made.message())}};
    if (!made.welcome().empty()) {
      out["welcome"] = to_hex(made.welcome());
      if (!policy_.tree_in_welcome || request.value("ratchet_tree", false))
        out["ratchet_tree"] = to_hex(opaque(made.ratchet_tree()));
    }
    pending_.erase(name);
    pending_.emplace(name, std::move(made));
    return out;
  }

  json happened(const group& g, event&& e) {
    if (const auto* m = std::get_if<application_message>(&e))
      return {{"kind", "application"},
              {"plaintext", to_hex(m->plaintext)},
              {"authenticated_data", to_hex(m->authenticated_data)},
              {"sender", number(m->sender)},
              {"epoch", m->epoch}};
    if (std::holds_alternative<received_proposal>(e)) return {{"kind", "proposal"}};
    if (g.active()) remember(g);
    return {{"kind", "commit"}};
  }

  json in_group(const std::string& name, group& g, const std::string& op, const json& request) {
    if (op == "propose") return propose(g, request.at("proposal"));
    if (op == "commit") return commit(name, g, request);
    if (op == "apply") {
      auto made = pending_.extract(name);
      if (made.empty()) throw std::runtime_error("no pending commit");
      return happened(g, must(g.apply(std::move(made.mapped()))));
    }
    if (op == "process" || op == "unprotect") return happened(g, must(g.process(env_, bytes_of(request, "message"))));
    if (op == "protect")
      return {{"message",
               to_hex(must(g.protect(env_, bytes_of(request, "plaintext"), bytes_of(request, "authenticated_data"))))}};
    if (op == "export") {
      bytes out(request.at("length").get<std::size_t>());
      must(g.export_secret(request.at("label").get<std::string>(), bytes_of(request, "context"), out));
      return {{"secret", to_hex(out)}};
    }
    if (op == "group_info") {
      const bool tree_inside = request.value("ratchet_tree", true);
      json out{{"group_info", to_hex(must(g.group_info(env_, {tree_inside, true})))}};
      if (!tree_inside) out["ratchet_tree"] = to_hex(opaque(g.ratchet_tree_items()));
      return out;
    }
    if (op == "reinit" || op == "branch") return succeed(g, op, request);
    if (op == "state") return state(g);
    throw std::runtime_error("no operation " + op);
  }

  json succeed(group& g, const std::string& op, const json& request) {
    arena a;
    std::vector<byte_view> packages;
    for (const json& p : request.at("key_packages")) packages.push_back(keep(a, from_hex(p.get<std::string>())));
    auto next = op == "reinit" ? must(g.reinitialize(env_, me(suite_of(request)).clone(), packages))
                               : must(g.branch(env_, me().clone(), bytes_of(request, "group_id"), packages,
                                               extension_items(request.value("extensions", json::array()))));
    const group& entered = enter(request.at("new_group"), std::move(next.group));
    json out{{"welcome", to_hex(next.welcomes.at(0))}};
    if (!policy_.tree_in_welcome) out["ratchet_tree"] = to_hex(opaque(entered.ratchet_tree_items()));
    return out;
  }

  static json state(const group& g) {
    json members = json::array();
    g.tree().for_each_leaf([&](leaf_index i) {
      members.push_back({{"leaf", number(i)}, {"identity", to_hex(g.tree().leaf(i)->credential.data)}});
    });
    const auto context = must(wire::decode<group_context>(g.group_context()));
    return {{"active", g.active()},
            {"reinitialized", g.reinitialized().has_value()},
            {"group_id", to_hex(g.group_id())},
            {"epoch", g.epoch_number()},
            {"epoch_authenticator", to_hex(g.authenticator().reveal())},
            {"group_context", to_hex(g.group_context())},
            {"tree_hash", to_hex(context.tree_hash)},
            {"leaf", number(g.own_leaf())},
            {"members", std::move(members)}};
  }

  environment& env_;
  bytes identity_;
  cipher_suite suite_;
  group_policy policy_;
  std::vector<extension_type> extensions_;
  std::map<cipher_suite, client> clients_;
  std::deque<prepared_key_package> packages_;
  std::map<std::string, secret_bytes> external_, resumption_;
  std::map<std::string, group> groups_;
  std::map<std::string, group::pending> pending_;
};

}  // namespace

int main() {
  system_environment env;
  std::map<std::string, std::unique_ptr<device>> devices;
  for (std::string line; std::getline(std::cin, line);) {
    json out;
    try {
      const json request = json::parse(line);
      const auto name = request.at("client").get<std::string>();
      if (request.at("op") == "client") {
        devices[name] = std::make_unique<device>(env, request);
        out = json::object();
      } else {
        const auto found = devices.find(name);
        if (found == devices.end()) throw std::runtime_error("no client " + name);
        out = found->second->answer(request);
      }
      out["ok"] = true;
    } catch (const std::exception& e) {
      out = {{"ok", false}, {"error", e.what()}};
    }
    std::cout << out.dump() << std::endl;
  }
}
