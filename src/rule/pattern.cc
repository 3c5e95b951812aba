#include "rule/pattern.h"

#include <re2/re2.h>

namespace penstock::rule {

struct Pattern::Impl {
  re2::RE2 compiled;
};

namespace {

re2::RE2::Options quiet_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  return options;
}

}  // namespace

Pattern::Pattern(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pattern::~Pattern() = default;

std::unique_ptr<Pattern> Pattern::make(std::string_view expression, std::string* why) {
  auto impl = std::unique_ptr<Impl>(
      new Impl{re2::RE2(re2::StringPiece(expression.data(), expression.size()), quiet_options())});
  if (!impl->compiled.ok()) {
    *why = impl->compiled.error();
    return nullptr;
  }
  return std::unique_ptr<Pattern>(new Pattern(std::move(impl)));
}

bool Pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), impl_->compiled);
}

}  // namespace penstock::rule
