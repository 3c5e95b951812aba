#include "yaml/guard.h"
#include "yaml/node.h"

#include <fmt/format.h>

#include <libfyaml.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace penstock::yaml {
namespace {

constexpr uint32_t kMaxNodes = 100'000;
constexpr uint64_t kMaxFollowedBytes = 4 << 20;

struct Weight {
  uint32_t nodes = 0;
  uint64_t bytes = 0;
};

Weight weigh(const Node& node) {
  Weight sum{1, node.text.size()};
  const auto add = [&](const Node& part) {
    const Weight one = weigh(part);
    sum.nodes += one.nodes;
    sum.bytes += one.bytes;
  };
  for (const Node& item : node.items) add(item);
  for (const auto& [key, value] : node.entries) {
    add(key);
    add(value);
  }
  return sum;
}

std::string token_text(fy_token* token) {
  size_t length = 0;
  const char* text = token == nullptr ? nullptr : fy_token_get_text(token, &length);
  return text == nullptr ? std::string() : std::string(text, length);
}

class Builder {
 public:
  Builder(const std::string& text, const std::string& file) : text_(text), file_(file) {
    line_starts_.push_back(0);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') line_starts_.push_back(i + 1);
    }
  }
  ~Builder() {
    if (event_ != nullptr) fy_parser_event_free(parser_, event_);
    if (parser_ != nullptr) fy_parser_destroy(parser_);
    if (diag_ != nullptr) fy_diag_destroy(diag_);  // not unref: the collected errors go with it
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  Result<Node> run() {
    open();
    Node root;
    bool seen = false;
    for (;;) {
      PENSTOCK_TRY(event, next());
      if (event == nullptr || event->type == FYET_STREAM_END) break;
      if (event->type == FYET_DOCUMENT_START && std::exchange(seen, true)) {
        Place place = place_of(fy_event_start_mark(event), 3);
        if (fy_event_start_mark(event) == nullptr) {
          PENSTOCK_TRY(content, next());  // begun without ---
          if (content != nullptr) place = place_of(fy_event_start_mark(content), 1);
        }
        return fail("P016"_code, "a second document").at(std::move(place));
      }
      if (is_content(event->type)) {
        PENSTOCK_TRY(node, build(0));
        root = std::move(node);
      }
    }
    return root;
  }

 private:
  static bool is_content(fy_event_type type) {
    return type == FYET_SCALAR || type == FYET_ALIAS || type == FYET_MAPPING_START ||
           type == FYET_SEQUENCE_START;
  }

  void open() {
    fy_diag_cfg diag_config{};
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = nullptr;
    diag_config.output_fn = [](fy_diag*, void*, const char*, size_t) {};
    diag_config.colorize = false;
    diag_ = fy_diag_create(&diag_config);
    fy_diag_set_collect_errors(diag_, true);
    fy_parse_cfg config{};
    config.flags = FYPCF_QUIET;
    config.diag = diag_;
    parser_ = fy_parser_create(&config);
    fy_parser_set_string(parser_, text_.data(), text_.size());
  }

  // The next event, kept until the one after it.
  Result<fy_event*> next() {
    if (event_ != nullptr) fy_parser_event_free(parser_, event_);
    event_ = fy_parser_parse(parser_);
    if (event_ == nullptr && fy_parser_get_stream_error(parser_)) return std::unexpected(trouble());
    return event_;
  }

  struct Spot {
    uint32_t line = 1, column = 1;
  };

  // libfyaml counts characters; we count bytes, and lines as guard() does.
  Spot spot_of(const fy_mark* mark) const {
    if (mark == nullptr) return {};
    const auto next = std::ranges::upper_bound(line_starts_, mark->input_pos);
    return {static_cast<uint32_t>(next - line_starts_.begin()),
            static_cast<uint32_t>(mark->input_pos - *(next - 1)) + 1};
  }

  Place place_of(const fy_mark* mark, uint32_t width) const {
    const Spot spot = spot_of(mark);
    return {file_, spot.line, spot.column, std::max(width, 1U),
            std::string(line_of(text_, spot.line))};
  }

  Error trouble() {
    void* cursor = nullptr;
    const fy_diag_error* first = fy_diag_errors_iterate(diag_, &cursor);
    if (first == nullptr) return fail("P011"_code, "not YAML").at({file_, 1, 1, 1, {}}).take();
    const uint32_t line = static_cast<uint32_t>(std::max(first->line, 1));
    const std::string message = first->msg == nullptr ? "not YAML" : first->msg;
    if (const auto open = open_quote()) {
      return fail("P010"_code, "a quote that is never closed").at(*open).take();
    }
    if (message.find("without a closing") != std::string::npos ||
        message.find("wrongly indented flow") != std::string::npos) {
      if (const auto open = open_bracket()) {
        return fail("P011"_code, "a bracket that is never closed").at(*open).take();
      }
    }
    const std::string source(line_of(text_, line));
    uint32_t column = static_cast<uint32_t>(std::max(first->column, 1));
    column = std::min(column, static_cast<uint32_t>(source.size()) + 1);
    Place place{file_, line, column, 1, source};
    if (message.find("mismatched flow") != std::string::npos) {
      return fail("P011"_code, "this bracket closes one of another kind")
          .at(std::move(place))
          .cure("close every [ by ] and every { by }")
          .take();
    }
    const bool indented = message.find("indent") != std::string::npos ||
                          message.find("end of block") != std::string::npos ||
                          message.find("mapping values") != std::string::npos ||
                          message.find("invalid mapping") != std::string::npos ||
                          message.find("did not find expected key") != std::string::npos ||
                          message.find("multiline") != std::string::npos;
    if (indented) return wrong_indent(place, message);
    return fail("P011"_code, fmt::format("not YAML: {}", message)).at(std::move(place)).take();
  }

  static bool has_colon(std::string_view line) {
    return line.find(": ") != std::string_view::npos || line.ends_with(':') ||
           line.substr(std::min(line.find_first_not_of(' '), line.size())).starts_with("- ");
  }

  // The offender of a broken block is the first word of its line.
  Error wrong_indent(Place place, const std::string& message) const {
    const size_t word = place.source_line.find_first_not_of(' ');
    if (word != std::string::npos) place.column = static_cast<uint32_t>(word) + 1;
    if (!has_colon(place.source_line)) {
      return fail("P011"_code, "a line without a field's name and colon")
          .at(std::move(place))
          .because("each line of a mapping is name: value, and a blank stands behind the colon")
          .cure("write name: value; a list's lines begin with a dash and a blank")
          .take();
    }
    return fail("P018"_code, fmt::format("this line's indentation fits no line above: {}", message))
        .at(std::move(place))
        .take();
  }

  // Where a quote opens that does not close: quotes are counted from the first byte behind the last
  // event that was understood.
  std::optional<Place> open_quote() const {
    size_t i = read_to_;
    while (i < text_.size()) {
      const char c = text_[i];
      if (c == '#' && (i == 0 || text_[i - 1] == ' ' || text_[i - 1] == '\n')) {
        i = text_.find('\n', i);
        if (i == std::string::npos) return {};
      } else if ((c == '"' || c == '\'') && begins_scalar(i)) {
        const size_t end = closing_quote(i);
        if (end == std::string::npos) return place_at(i);
        i = end;
      }
      ++i;
    }
    return {};
  }

  // The innermost bracket that is still open at the end.
  std::optional<Place> open_bracket() const {
    std::vector<size_t> open;
    for (size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '#' && (i == 0 || text_[i - 1] == ' ' || text_[i - 1] == '\n')) {
        i = std::min(text_.find('\n', i), text_.size());
      } else if ((c == '"' || c == '\'') && begins_scalar(i)) {
        i = std::min(closing_quote(i), text_.size());
      } else if (c == '[' || c == '{') {
        open.push_back(i);
      } else if ((c == ']' || c == '}') && !open.empty()) {
        open.pop_back();
      }
    }
    if (open.empty()) return {};
    return place_at(open.back());
  }

  bool begins_scalar(size_t offset) const {
    while (offset > 0 && text_[offset - 1] == ' ') --offset;
    return offset == 0 || std::string_view("\n[{,:-?").find(text_[offset - 1]) != std::string::npos;
  }

  size_t closing_quote(size_t open) const {
    const char quote = text_[open];
    for (size_t i = open + 1; i < text_.size(); ++i) {
      if (quote == '"' && text_[i] == '\\') {
        ++i;
      } else if (text_[i] == quote) {
        if (quote == '\'' && i + 1 < text_.size() && text_[i + 1] == quote) {
          ++i;
          continue;
        }
        return i;
      }
    }
    return std::string::npos;
  }

  Place place_at(size_t offset) const {
    const auto line = static_cast<uint32_t>(
        std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(offset), '\n') + 1);
    const size_t before = offset == 0 ? std::string::npos : text_.rfind('\n', offset - 1);
    const size_t start = before == std::string::npos ? 0 : before + 1;
    return {file_, line, static_cast<uint32_t>(offset - start) + 1, 1,
            std::string(line_of(text_, line))};
  }

  Node make(NodeKind kind, uint32_t width) {
    Node node;
    node.kind = kind;
    const Spot spot = spot_of(fy_event_start_mark(event_));
    node.line = spot.line;
    node.column = spot.column;
    node.width = std::max(width, 1U);
    if (const fy_mark* end = fy_event_end_mark(event_); end != nullptr) read_to_ = end->input_pos;
    return node;
  }

  Result<void> count(Weight weight, uint32_t width) {
    nodes_ += weight.nodes;
    bytes_ += weight.bytes;
    if (nodes_ <= kMaxNodes && bytes_ <= kMaxFollowedBytes) return {};
    Place place = place_of(fy_event_start_mark(event_), width);
    // The parser's mark of an alias is the name's; ours is the star's.
    if (event_->type == FYET_ALIAS && place.column > 1) --place.column;
    return fail("P008"_code, "too many values when aliases are followed").at(std::move(place));
  }

  Result<void> refuse_tag(fy_token* tag) {
    if (tag == nullptr) return {};
    const fy_mark* mark = fy_token_start_mark(tag);
    return fail("P014"_code, fmt::format("a tag: {}", token_text(tag))).at(place_of(mark, 1));
  }

  void keep(const std::string& anchor, const Node& node) {
    if (!anchor.empty()) anchors_[anchor] = node;
  }

  // Builds the node whose event is the current one.
  Result<Node> build(uint32_t depth) {
    if (depth > kMaxDepth) {
      return fail("P007"_code, "values nest too deep").at(place_of(fy_event_start_mark(event_), 1));
    }
    PENSTOCK_TRY_VOID(count({1, 0}, 1));
    switch (event_->type) {
      case FYET_SCALAR:
        return scalar();
      case FYET_ALIAS:
        return alias();
      case FYET_SEQUENCE_START:
        return sequence(depth);
      default:
        return mapping(depth);
    }
  }

  Result<Node> scalar() {
    PENSTOCK_TRY_VOID(refuse_tag(event_->scalar.tag));
    const std::string anchor = token_text(event_->scalar.anchor);
    fy_token* value = event_->scalar.value;
    const auto style = value == nullptr ? FYSS_PLAIN : fy_token_scalar_style(value);
    const fy_mark* start = fy_event_start_mark(event_);
    const fy_mark* end = fy_event_end_mark(event_);
    uint32_t width = 1;
    if (start != nullptr && end != nullptr && end->line == start->line) {
      width = static_cast<uint32_t>(end->input_pos - start->input_pos);
    }
    Node node = make(NodeKind::scalar, width);
    node.text = token_text(value);
    node.quoted = style != FYSS_PLAIN && style != FYSS_ANY;
    if (!node.quoted && (node.text.empty() || node.text == "null" || node.text == "~")) {
      node.kind = NodeKind::null;
    }
    if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) {
      // The parser's marks stand inside the quotes.
      if (node.column > 1) --node.column;
      node.width = width + 2;
    }
    if (style == FYSS_LITERAL || style == FYSS_FOLDED) find_block_start(node);
    keep(anchor, node);
    return node;
  }

  // A block scalar's place is its `|` or `>`; the parser names its first line of text.
  void find_block_start(Node& node) const {
    for (uint32_t line = node.line; line > 0 && line + 1 >= node.line; --line) {
      const std::string_view source = line_of(text_, line);
      const size_t comment = source.find(" #");
      const size_t mark = source.substr(0, comment).find_last_of("|>");
      const bool header = mark != std::string_view::npos &&
                          source.substr(0, comment).find_first_not_of("+-0123456789 ", mark + 1) ==
                              std::string_view::npos;
      if (!header) continue;
      node.line = line;
      node.column = static_cast<uint32_t>(mark) + 1;
      node.width = 1;
      return;
    }
  }

  Result<Node> alias() {
    const std::string name = token_text(event_->alias.anchor);
    const auto width = static_cast<uint32_t>(name.size()) + 1;
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      Place place = place_of(fy_event_start_mark(event_), width);
      if (place.column > 1) --place.column;
      return fail("P015"_code, fmt::format("no anchor \"&{}\" stands before this", name))
          .at(std::move(place));
    }
    PENSTOCK_TRY_VOID(count(weigh(found->second), width));
    return found->second;
  }

  // A value that is not there has no place: what stands before it is to blame.
  static bool is_nothing(const Node& node) {
    return node.kind == NodeKind::null && node.text.empty();
  }
  static void stand_at(Node& node, const Node& other) {
    node.line = other.line;
    node.column = other.column;
    node.width = other.width;
  }

  Result<Node> sequence(uint32_t depth) {
    PENSTOCK_TRY_VOID(refuse_tag(event_->sequence_start.tag));
    const std::string anchor = token_text(event_->sequence_start.anchor);
    Node node = make(NodeKind::sequence, 1);
    for (;;) {
      PENSTOCK_TRY(event, next());
      if (event == nullptr || event->type == FYET_SEQUENCE_END) break;
      PENSTOCK_TRY(item, build(depth + 1));
      if (is_nothing(item)) stand_at(item, node.items.empty() ? node : node.items.back());
      node.items.push_back(std::move(item));
    }
    keep(anchor, node);
    return node;
  }

  Result<Node> mapping(uint32_t depth) {
    PENSTOCK_TRY_VOID(refuse_tag(event_->mapping_start.tag));
    const std::string anchor = token_text(event_->mapping_start.anchor);
    Node node = make(NodeKind::mapping, 1);
    std::map<std::string, uint32_t, std::less<>> seen;
    for (;;) {
      PENSTOCK_TRY(event, next());
      if (event == nullptr || event->type == FYET_MAPPING_END) break;
      PENSTOCK_TRY(key, build(depth + 1));
      PENSTOCK_TRY_VOID(check_key(key, seen));
      PENSTOCK_TRY(value_event, next());
      if (value_event == nullptr) break;
      PENSTOCK_TRY(value, build(depth + 1));
      if (is_nothing(value)) stand_at(value, key);
      node.entries.push_back({std::move(key), std::move(value)});
    }
    keep(anchor, node);
    return node;
  }

  Result<void> check_key(const Node& key, std::map<std::string, uint32_t, std::less<>>& seen) {
    const auto place = [&] {
      return Place{file_, key.line, key.column, key.width, std::string(line_of(text_, key.line))};
    };
    if (key.kind != NodeKind::scalar) {
      return fail("P019"_code, "a key that is no plain text").at(place());
    }
    if (key.text == "<<" && !key.quoted) {
      return fail("P013"_code, "a merge key").at(place());
    }
    const auto [first, fresh] = seen.emplace(key.text, key.line);
    if (fresh) return {};
    return fail("P009"_code, fmt::format("\"{}\" stands here twice", key.text))
        .at(place())
        .hint(fmt::format("first in line {}", first->second));
  }

  const std::string& text_;
  const std::string& file_;
  std::vector<size_t> line_starts_;
  fy_diag* diag_ = nullptr;
  fy_parser* parser_ = nullptr;
  fy_event* event_ = nullptr;
  std::map<std::string, Node, std::less<>> anchors_;
  uint32_t nodes_ = 0;
  uint64_t bytes_ = 0;
  size_t read_to_ = 0;
};

}  // namespace

Result<Document> parse(std::string text, std::string file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  if (auto offence = guard(text, file)) return std::unexpected(std::move(*offence));
  Document document;
  document.file_ = std::move(file);
  document.text_ = std::move(text);
  PENSTOCK_TRY(root, Builder(document.text_, document.file_).run());
  document.root_ = std::make_unique<Node>(std::move(root));
  return document;
}

}  // namespace penstock::yaml
