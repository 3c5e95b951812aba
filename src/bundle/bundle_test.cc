#include "bundle/bundle.h"

#include "bundle/access.h"
#include "bundle/deploy.h"
#include "bundle/path_text.h"
#include "yaml/node.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace penstock::bundle {
namespace {

constexpr const char* kSchema =
    R"({"type":"record","name":"R","fields":[{"name":"id","type":"string"}]})";

std::string pipeline_text(const std::string& log, const std::string& more = {},
                          const std::string& to = "out") {
  return "pipeline: p\nversion: 1\nschemas: {r: r.avsc}\n"
         "topics: {in: {schema: r, key: id, partitions: 3}, out: {key: id, partitions: 3}}\n"
         "stages: {keep: {from: in, to: " +
         to +
         "}}\n"
         "targets: {there: {log: " +
         log + "}}\n" + more;
}

struct Made {
  std::shared_ptr<const plan::Plan> plan;
  std::string text;
};

const std::vector<flow::PartSpec>& parts() {
  static const std::vector<flow::PartSpec> all = [] {
    flow::PartSpec kafka;
    kafka.kind = flow::PartKind::log;
    kafka.name = "kafka";
    for (const char* field : {"kafka", "user", "password", "key", "auth"})
      kafka.fields.push_back({.name = field, .type = flow::FieldType::text});
    flow::PartSpec postgres;
    postgres.kind = flow::PartKind::store;
    postgres.name = "postgres";
    for (const char* field : {"postgres", "key", "host", "key_file"})
      postgres.fields.push_back({.name = field, .type = flow::FieldType::text});
    flow::PartSpec redshift;
    redshift.kind = flow::PartKind::store;
    redshift.name = "redshift";
    for (const char* field : {"redshift", "host", "port", "ca"})
      redshift.fields.push_back({.name = field, .type = flow::FieldType::text});
    flow::PartSpec confluent;
    confluent.kind = flow::PartKind::registry;
    confluent.name = "confluent";
    for (const char* field : {"confluent", "ca", "certificate", "key"})
      confluent.fields.push_back({.name = field, .type = flow::FieldType::text});
    return std::vector<flow::PartSpec>{std::move(kafka), std::move(postgres), std::move(redshift),
                                       std::move(confluent)};
  }();
  return all;
}

Result<Made> make(const std::string& pipeline) {
  std::map<std::string, std::string> texts;
  plan::CheckOptions how;
  how.target = "there";
  how.keep_references = true;
  how.env = [](std::string_view) { return std::optional<std::string>("of this machine"); };
  how.read_file = [&](const std::string& path, size_t) -> Result<std::string> {
    texts[path] = path.ends_with(".avsc") ? kSchema : pipeline;
    return texts[path];
  };
  plan::Checked checked = plan::check("folder/pipeline.yaml", parts(), how);
  if (!checked.plan) return std::unexpected(checked.errors.front());
  PENSTOCK_TRY(files, collect(
                          *checked.plan, texts,
                          [](const std::string& path) -> Result<std::string> {
                            if (path.ends_with(".avsc")) return std::string(kSchema);
                            return fail("P001"_code, "there is no " + path);
                          },
                          "/at"));
  PENSTOCK_TRY(text, write(*checked.plan, files, "penstock test"));
  return Made{checked.plan, std::move(text)};
}

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("a bundle is read back as it was written") {
  const auto made = make(pipeline_text("{kafka: \"b:1\"}"));
  REQUIRE(made.has_value());
  CHECK(is_bundle(made->text));
  const auto opened = read(made->text, "b.json");
  REQUIRE(opened.has_value());
  CHECK(opened->pipeline == "p");
  CHECK(opened->target == "there");
  CHECK(opened->files.pipeline == "pipeline.yaml");
  CHECK(opened->files.texts.at("r.avsc") == kSchema);
  CHECK(opened->files.texts.size() == 2);
  CHECK(make(pipeline_text("{kafka: \"b:1\"}"))->text == made->text);
}

TEST_CASE("nothing of the environment goes in, and no secret") {
  const auto made = make(pipeline_text(
      R"({kafka: "${env:BROKERS:-b:1}", user: "${env:WHO}", password: "${secret:word}"})"));
  REQUIRE(made.has_value());
  CHECK(made->text.find("of this machine") == std::string::npos);
  CHECK(made->text.find(R"("environment":[{"name":"BROKERS","fallback":"b:1"},)"
                        R"({"name":"WHO","fallback":null}],"secrets":["word"])") !=
        std::string::npos);
  CHECK(made->text.find(R"("brokers":{"env":"BROKERS","value":"b:1","secret":null})") !=
        std::string::npos);
  CHECK(made->text.find(R"("password":{"env":null,"value":null,"secret":"word"})") !=
        std::string::npos);
}

TEST_CASE("a private key stays outside") {
  const auto made = make(pipeline_text("{kafka: \"b:1\", key: keys/mine.pem}"));
  REQUIRE(!made.has_value());
  CHECK(made.error().code == "B002"_code);
  CHECK(made.error().place.line == 6);
}

TEST_CASE("a store's key is a field, and no file") {
  const auto made = make(pipeline_text("{kafka: \"b:1\"}, stores: {rows: {host: h}}",
                                       "stores: {rows: {postgres: rows, key: id}}\n", "rows"));
  REQUIRE(made.has_value());
  CHECK(made->text.find(R"("kind":"postgres")") != std::string::npos);
}

TEST_CASE("authorities of stores and registries go in, keys do not") {
  const auto with = [](const std::string& registry) {
    return make(pipeline_text("{kafka: \"b:1\"}, registry: {confluent: \"https://r\"" + registry +
                                  "}, stores: {rows: {host: h, port: 5555, ca: r.avsc}}",
                              "stores: {rows: {redshift: rows}}\n", "rows"));
  };
  const auto made = with(", ca: r.avsc, certificate: r.avsc");
  if (!made) FAIL(render(made.error()));
  CHECK(made->text.find(R"("port":{"env":null,"value":"5555","secret":null})") !=
        std::string::npos);
  const auto refused = with(", certificate: r.avsc, key: mine.pem");
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == "B002"_code);
  for (const char* missing : {", ca: none.pem", ", certificate: none.pem"}) {
    const auto absent = with(missing);
    REQUIRE(!absent.has_value());
    CHECK(absent.error().code == "P001"_code);
  }
}

TEST_CASE("a changed or cut bundle is refused") {
  const auto made = make(pipeline_text("{kafka: \"b:1\"}"));
  REQUIRE(made.has_value());
  const std::string& good = made->text;
  const std::string deep = "{\"penstock_bundle\":1,\"x\":" + std::string(100'000, '[');
  for (const std::string& bad :
       {good.substr(0, good.size() / 2), changed(good, "partitions: 3", "partitions: 4"),
        changed(good, R"("penstock_bundle":1)", R"("penstock_bundle":2)"), deep,
        std::string("{\"penstock_bundle\":1}"),
        std::string("{\"penstock_bundle\":1,\"sha256\":7}")}) {
    const auto opened = read(bad, "b.json");
    REQUIRE(!opened.has_value());
    CHECK(opened.error().code == "B001"_code);
  }
}

TEST_CASE("paths are related as text") {
  CHECK(paths::whole("/at/me", "a/../b.csv") == "/at/me/b.csv");
  CHECK(paths::whole("/at/me", "/x//y/./z") == "/x/y/z");
  CHECK(paths::whole("/", "../../up") == "/up");
  CHECK(paths::common_folder({"/a/b/p.yaml", "/a/s/x.avsc"}) == "/a");
  CHECK(paths::common_folder({"/ab/p", "/a/x"}) == "/");
  CHECK(paths::inside("/a/b/p.yaml", "/a") == "b/p.yaml");
  CHECK(paths::inside("/p.yaml", "/") == "p.yaml");
  for (const char* good : {"a", "a/b.c", "..a"}) CHECK(paths::stays_inside(good));
  for (const char* bad : {"", "/a", "..", "../a", "a/../../b", "a/./b", "a//b"})
    CHECK(!paths::stays_inside(bad));
}

TEST_CASE("text that is no bundle is none") {
  for (const char* text : {"", "pipeline: p", "{pipeline: p}", "[1]", "{\"a\":1}"})
    CHECK(!is_bundle(text));
}

TEST_CASE("labels are what Kubernetes takes, and never the same twice") {
  const std::string longest(200, 'x');
  std::vector<std::string> taken;
  for (const std::string& text :
       {std::string("writer.latest"), std::string("writer-latest"), std::string("Writer_latest"),
        std::string("9lives"), std::string("--"), longest, longest + "y", std::string("…")}) {
    const std::string made = label(text, kStageNameBytes, taken);
    CHECK(made.size() <= kStageNameBytes);
    CHECK(!made.empty());
    CHECK(std::ranges::all_of(
        made, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }));
    CHECK((made.front() >= 'a' && made.front() <= 'z'));
    CHECK(made.back() != '-');
    CHECK(std::ranges::find(taken, made) == taken.end());
    taken.push_back(made);
  }
  CHECK(taken[0] == "writer-latest");
}

TEST_CASE("a stage may touch its own topics only") {
  const auto made = make(pipeline_text("{kafka: \"b:1\"}"));
  REQUIRE(made.has_value());
  const Access stage = access_of(*made->plan, made->plan->stages.front());
  CHECK(stage.read == std::vector<std::string>{"in", "p.schemas", "p.positions"});
  CHECK(stage.write == std::vector<std::string>{"out", "dead.keep", "p.schemas", "p.positions"});
  CHECK(stage.create.empty());
  CHECK(stage.groups == std::vector<std::string>{"p.keep"});
  CHECK(stage.transactional_id_prefix == "p.keep-");
  const Access apply = access_of_apply(*made->plan);
  CHECK(apply.create ==
        std::vector<std::string>{"in", "out", "dead.keep", "p.schemas", "p.positions"});
}

}  // namespace
}  // namespace penstock::bundle
