#include "aws/source.h"
#include "aws/sts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::aws {
namespace {

std::string without_blanks_at_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

class FixedSource final : public Source {
 public:
  FixedSource(Credentials credentials, std::string name)
      : credentials_(std::move(credentials)), name_(std::move(name)) {}
  Result<Credentials> load() override { return credentials_; }
  std::string name() const override { return name_; }

 private:
  Credentials credentials_;
  std::string name_;
};

class RoleSource final : public Source {
 public:
  RoleSource(Session& session, Role role, std::unique_ptr<Source> base)
      : session_(session), role_(std::move(role)), base_(std::move(base)) {}
  Result<Credentials> load() override {
    PENSTOCK_TRY(mine, base_->load());
    return assume_role(session_, mine, role_);
  }
  std::string name() const override {
    return fmt::format("the role {}, by {}", role_.arn, base_->name());
  }

 private:
  Session& session_;
  Role role_;
  std::unique_ptr<Source> base_;
};

class WebIdentitySource final : public Source {
 public:
  WebIdentitySource(Session& session, Role role, std::string file)
      : session_(session), role_(std::move(role)), file_(std::move(file)) {}
  // The file is renewed from outside, so it is read for every call.
  Result<Credentials> load() override {
    PENSTOCK_TRY(text, session_.here().read(file_));
    const Secret token(without_blanks_at_end(std::move(text)));
    return assume_role_with_token(session_, role_, token);
  }
  std::string name() const override {
    return fmt::format("the role {}, by the token in {}", role_.arn, file_);
  }

 private:
  Session& session_;
  Role role_;
  std::string file_;
};

Failure wrong(const std::string& profile, std::string_view what) {
  return fail("W002"_code, fmt::format("the profile \"{}\" {}", profile, what));
}

Role role_of(const Session& session, const Section* section) {
  Role role{.arn = std::string(value_of(section, "role_arn")),
            .session = std::string(value_of(section, "role_session_name"))};
  if (role.session.empty()) role.session = role_session_name(session.here());
  role.external_id = value_of(section, "external_id");
  role.seconds = value_of(section, "duration_seconds");
  return role;
}

// credential_source = Environment, Ec2InstanceMetadata, EcsContainer
MaybeSource named_source(Session& session, const std::string& profile, std::string_view name) {
  if (name == "Environment") return variables_source(session);
  if (name == "EcsContainer") return container_source(session);
  if (name == "Ec2InstanceMetadata") return machine_source(session);
  return wrong(profile, fmt::format("has credential_source = {}, which does not exist", name))
      .cure("write Environment, EcsContainer or Ec2InstanceMetadata");
}

// What a role's source_profile leads to: keys, or again a role.
MaybeSource source_profile(Session& session, const std::string& profile, const std::string& next,
                           std::vector<std::string> seen) {
  if (session.profiles().find(next) == nullptr) {
    return wrong(profile, fmt::format("has source_profile = {}, which does not exist", next));
  }
  // A profile may be its own source: then its keys are meant.
  if (next != profile) {
    PENSTOCK_TRY(role, profile_role_source(session, next, std::move(seen)));
    if (role) return std::move(role);
    PENSTOCK_TRY(web, web_identity_source(session, next));
    if (web) return std::move(web);
  }
  return profile_keys_source(session, next);
}

}  // namespace

MaybeSource variables_source(Session& session) {
  const auto& variable = session.here().variable;
  auto id = variable("AWS_ACCESS_KEY_ID");
  auto key = variable("AWS_SECRET_ACCESS_KEY");
  if (!id) return nullptr;
  if (!key) {
    return fail("W002"_code, "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")
        .cure("set both, or none");
  }
  auto token = variable("AWS_SESSION_TOKEN");
  if (!token) token = variable("AWS_SECURITY_TOKEN");
  Credentials credentials{.access_key_id = std::move(*id),
                          .secret_access_key = Secret(std::move(*key)),
                          .session_token = Secret(std::move(token).value_or(""))};
  return std::make_unique<FixedSource>(std::move(credentials), "AWS_ACCESS_KEY_ID");
}

MaybeSource profile_keys_source(Session& session, const std::string& name) {
  const Section* section = session.profiles().find(name);
  const std::string id(value_of(section, "aws_access_key_id"));
  if (id.empty()) {
    if (value_of(section, "credential_process").empty()) return nullptr;
    return wrong(name, "has a credential_process, which is not run here")
        .because("a service that starts programs named in a file is one more way in")
        .cure(
            "use a role: role_arn with source_profile, IRSA or Pod Identity; or set "
            "AWS_ACCESS_KEY_ID");
  }
  Credentials credentials{
      .access_key_id = id,
      .secret_access_key = Secret(std::string(value_of(section, "aws_secret_access_key"))),
      .session_token = Secret(std::string(value_of(section, "aws_session_token")))};
  if (credentials.secret_access_key.empty()) {
    return wrong(name, "has aws_access_key_id and no aws_secret_access_key").cure("set both");
  }
  return std::make_unique<FixedSource>(std::move(credentials),
                                       fmt::format("the profile \"{}\"", name));
}

MaybeSource profile_role_source(Session& session, const std::string& name,
                                std::vector<std::string> seen) {
  const Section* section = session.profiles().find(name);
  if (value_of(section, "role_arn").empty() ||
      !value_of(section, "web_identity_token_file").empty()) {
    return nullptr;
  }
  if (std::ranges::find(seen, name) != seen.end()) {
    return wrong(name, "leads back to itself by source_profile");
  }
  if (!value_of(section, "mfa_serial").empty()) {
    return wrong(name, "has an mfa_serial, and nobody is here to be asked for the code");
  }
  seen.push_back(name);
  const std::string next(value_of(section, "source_profile"));
  const std::string_view named = value_of(section, "credential_source");
  if (next.empty() == named.empty()) {
    return wrong(name, "has a role_arn; it needs source_profile or credential_source, not both");
  }
  PENSTOCK_TRY(base, next.empty() ? named_source(session, name, named)
                                  : source_profile(session, name, next, std::move(seen)));
  if (!base) {
    return wrong(name, fmt::format("has {} = {}, which holds no keys",
                                   next.empty() ? "credential_source" : "source_profile",
                                   next.empty() ? named : next));
  }
  return std::make_unique<RoleSource>(session, role_of(session, section), std::move(base));
}

MaybeSource web_identity_source(Session& session, const std::string& profile) {
  const Section* section = session.profiles().find(profile);
  const auto& variable = session.here().variable;
  const bool mine = profile == session.profile_name();  // variables stand above our own profile
  const auto value = [&](const char* name, std::string_view key) {
    std::optional<std::string> set;
    if (mine) set = variable(name);
    return set ? *set : std::string(value_of(section, key));
  };
  const std::string file = value("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
  if (file.empty()) return nullptr;
  Role role = role_of(session, section);
  role.arn = value("AWS_ROLE_ARN", "role_arn");
  if (role.arn.empty()) {
    return fail("W002"_code, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not")
        .cure("set both, as the service account's annotation does");
  }
  return std::make_unique<WebIdentitySource>(session, std::move(role), file);
}

}  // namespace penstock::aws
