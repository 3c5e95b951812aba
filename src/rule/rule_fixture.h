// rule_fixture.h — rules drawn at random over a schema: each of a wanted type, or with a mistake in
// it.
//
// A rule grows from templates. In one, $i stands for an expression of type int, and so on (kKinds);
// $L and $M for any list or map of the record; #i for a new variable of a macro, of that type, and
// #? of the type of the items of the last $L or $M. A mistake is an expression of another type, or
// of a field that may be null, without its guard.
//
// Thread      one test.
//
//     RuleWriter writer(schema->root(), random);
//     const std::string rule = writer.rule(TypeKind::bool_, 3, 0.0);
#pragma once

#include "base/random.h"
#include "rule/schema_fixture.h"
#include "rule/type.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::rule {

struct Template {
  char kind;
  std::string_view text;
};

// What a letter stands for: scalars are i u d s b y t r; lists I D S; maps N; optionals o O.
inline constexpr Template kTemplates[] = {
    {'b', "($b && $b)"},
    {'b', "($b || $b || $b)"},
    {'b', "!$b"},
    {'b', "($b ? $b : $b)"},
    {'b', "($i < $i)"},
    {'b', "($i >= $d)"},
    {'b', "($u > $i)"},
    {'b', "($d <= $u)"},
    {'b', "($s < $s)"},
    {'b', "($y >= $y)"},
    {'b', "($t < $t)"},
    {'b', "($r > $r)"},
    {'b', "($b < $b)"},
    {'b', "($i == $i)"},
    {'b', "($d != $d)"},
    {'b', "($s == $s)"},
    {'b', "($I == $I)"},
    {'b', "($N != $N)"},
    {'b', "($o == $o)"},
    {'b', "($i in $I)"},
    {'b', "($s in $S)"},
    {'b', "($s in $N)"},
    {'b', "$s.contains($s)"},
    {'b', "$s.startsWith($s)"},
    {'b', "$s.endsWith('1')"},
    {'b', "$s.matches('[a-m]+1?')"},
    {'b', "$s.matches($s)"},
    {'b', "bool($s)"},
    {'b', "(type($i) == int)"},
    {'b', "$I.exists(#i, $b)"},
    {'b', "$S.all(#s, $b)"},
    {'b', "$D.exists_one(#d, $b)"},
    {'b', "$N.all(#s, $b)"},
    {'b', "$N.exists(#s, #i, $b)"},
    {'b', "$I.existsOne(#i, #i, $b)"},
    {'b', "$L.all(#?, $b)"},
    {'b', "$M.exists(#s, #?, $b)"},
    {'b', "$L.exists(#i, #?, $b)"},
    {'b', "math.isNaN($d)"},
    {'b', "math.isFinite($d)"},
    {'b', "$o.hasValue()"},
    {'b', "energy.isGsrn($s)"},
    {'b', "energy.isEic($s)"},
    {'b', "cel.bind(@i, $i, $b)"},
    {'b', "(size($L) > $i)"},
    {'i', "($i + $i)"},
    {'i', "($i - $i)"},
    {'i', "($i * $i)"},
    {'i', "($i / $i)"},
    {'i', "($i % $i)"},
    {'i', "-$i"},
    {'i', "($b ? $i : $i)"},
    {'i', "int($d)"},
    {'i', "int($u)"},
    {'i', "int($s)"},
    {'i', "int($t)"},
    {'i', "size($s)"},
    {'i', "$y.size()"},
    {'i', "size($I)"},
    {'i', "size($N)"},
    {'i', "$I[$i]"},
    {'i', "$N[$s]"},
    {'i', "$t.getHours()"},
    {'i', "$t.getDayOfWeek('Europe/Berlin')"},
    {'i', "$t.getFullYear($s)"},
    {'i', "$r.getMinutes()"},
    {'i', "$s.indexOf($s)"},
    {'i', "$s.lastIndexOf($s, $i)"},
    {'i', "math.greatest($i, $i, $i)"},
    {'i', "math.least($I)"},
    {'i', "math.abs($i)"},
    {'i', "math.sign($i)"},
    {'i', "math.bitAnd($i, $i)"},
    {'i', "math.bitShiftLeft($i, $i)"},
    {'i', "$o.orValue($i)"},
    {'i', "$o.value()"},
    {'i', "cel.bind(@s, $s, $i)"},
    {'u', "($u + $u)"},
    {'u', "($u * $u)"},
    {'u', "($u - $u)"},
    {'u', "uint($i)"},
    {'u', "uint($d)"},
    {'u', "math.bitXor($u, $u)"},
    {'u', "math.bitNot($u)"},
    {'u', "math.greatest($u, $u)"},
    {'d', "($d + $d)"},
    {'d', "($d - $d)"},
    {'d', "($d * $d)"},
    {'d', "($d / $d)"},
    {'d', "-$d"},
    {'d', "double($i)"},
    {'d', "double($s)"},
    {'d', "($b ? $d : $d)"},
    {'d', "math.ceil($d)"},
    {'d', "math.round($d)"},
    {'d', "math.sqrt($i)"},
    {'d', "math.least($d, $d)"},
    {'d', "math.greatest($D)"},
    {'d', "$D[0]"},
    {'d', "energy.convert($d, 'kWh', 'MJ')"},
    {'s', "($s + $s)"},
    {'s', "string($i)"},
    {'s', "string($d)"},
    {'s', "string($y)"},
    {'s', "string($t)"},
    {'s', "string($r)"},
    {'s', "($b ? $s : $s)"},
    {'s', "$s.charAt($i)"},
    {'s', "$s.lowerAscii()"},
    {'s', "$s.replace($s, $s)"},
    {'s', "$s.substring($i)"},
    {'s', "$s.trim()"},
    {'s', "$s.reverse()"},
    {'s', "$S.join($s)"},
    {'s', "$S[$i]"},
    {'s', "strings.quote($s)"},
    {'s', "base64.encode($y)"},
    {'s', "'%d of %s'.format([$i, $s])"},
    {'s', "'%.2f %s %x'.format([$d, $b, $i])"},
    {'s', "$O.orValue($s)"},
    {'s', "energy.period($t, 'UTC', 'peak Mon-Fri 07:00-20:00; offpeak')"},
    {'y', "($y + $y)"},
    {'y', "bytes($s)"},
    {'y', "base64.decode($s)"},
    {'y', "($b ? $y : $y)"},
    {'t', "($t + $r)"},
    {'t', "($r + $t)"},
    {'t', "($t - $r)"},
    {'t', "timestamp($i)"},
    {'t', "timestamp($s)"},
    {'t', "($b ? $t : $t)"},
    {'r', "($t - $t)"},
    {'r', "($r + $r)"},
    {'r', "($r - $r)"},
    {'r', "duration($s)"},
    {'r', "($b ? $r : $r)"},
    {'I', "[$i, $i, $i]"},
    {'I', "[$i, ?$o]"},
    {'I', "($I + $I)"},
    {'I', "$I.filter(#i, $b)"},
    {'I', "$S.map(#s, $i)"},
    {'I', "$D.map(#d, $b, $i)"},
    {'I', "$N.map(#s, $i)"},
    {'I', "$L.map(#?, $i)"},
    {'I', "$I.transformList(#i, #i, $i)"},
    {'I', "$N.transformList(#s, #i, $b, $i)"},
    {'I', "$I.sort()"},
    {'I', "$I.sortBy(#i, $d)"},
    {'I', "$I.distinct()"},
    {'I', "$I.reverse()"},
    {'I', "$I.slice($i, $i)"},
    {'I', "[$I, $I].flatten()"},
    {'I', "lists.range($i)"},
    {'D', "[$d, $d]"},
    {'D', "$I.map(#i, $d)"},
    {'D', "$D.sort()"},
    {'S', "[$s, $s]"},
    {'S', "$s.split($s)"},
    {'S', "$S.filter(#s, $b)"},
    {'S', "$S.sortBy(#s, $i)"},
    {'S', "$M.map(#s, $s)"},
    {'N', "{$s: $i, 'm1': $i}"},
    {'N', "{'a': $i, ?'b': $o}"},
    {'N', "$N.transformMap(#s, #i, $i)"},
    {'N', "$S.transformMapEntry(#i, #s, {$s: $i})"},
    {'o', "optional.of($i)"},
    {'o', "optional.ofNonZeroValue($i)"},
    {'o', "$I[?$i]"},
    {'o', "$N[?$s]"},
    {'o', "$N.?m1"},
    {'o', "$I.first()"},
    {'o', "$I.last()"},
    {'o', "$o.or($o)"},
    {'o', "$o.optMap(#i, $i)"},
    {'o', "$O.optFlatMap(#s, $o)"},
    {'O', "optional.of($s)"},
    {'O', "$S.first()"},
    {'O', "$o.optMap(#i, $s)"},
};

struct Kind {
  char letter;
  TypeKind kind;
  std::string_view leaves[4];
};
inline constexpr Kind kKinds[] = {
    {'b', TypeKind::bool_, {"true", "false"}},
    {'i', TypeKind::int_, {"0", "-1", "7", "9223372036854775807"}},
    {'u', TypeKind::uint_, {"0u", "1u", "18446744073709551615u"}},
    {'d', TypeKind::double_, {"0.0", "1.5", "-1e300", "double('NaN')"}},
    {'s', TypeKind::string, {"''", "'m1'", "'é'", "'1.5'"}},
    {'y', TypeKind::bytes, {"b''", "b'ab'", "b'\\xff'"}},
    {'t', TypeKind::timestamp, {"timestamp('2026-01-01T00:00:00.5Z')", "timestamp(0)"}},
    {'r', TypeKind::duration, {"duration('15m')", "duration('-1ns')", "duration('2000000h')"}},
    {'I', TypeKind::list, {"[1, 2]", "[]", "[7]"}},
    {'D', TypeKind::list, {"[1.5, double('NaN')]", "[0.0]"}},
    {'S', TypeKind::list, {"['m1', '']", "['a']"}},
    {'N', TypeKind::map, {"{'a': 1}", "{'m1': -1, 'é': 2}"}},
    {'o', TypeKind::optional, {"optional.of(1)", "optional.none()"}},
    {'O', TypeKind::optional, {"optional.of('a')"}},
};

class RuleWriter {
 public:
  RuleWriter(const avro::Node& record, Random& random) : random_(random) {
    walk(record, "", {}, 3);
  }

  // `mistakes`: the share of expressions that are of another type, or unguarded.
  std::string rule(char letter, int depth, double mistakes) {
    mistakes_ = mistakes;
    return expression(letter, depth);
  }

 private:
  // A field, a part of one, or a variable of a macro; `guards` have to be not null.
  struct Found {
    std::string text;
    const avro::Node* node = nullptr;  // a field's
    char letter = 0;
    std::vector<std::string> guards;
  };

  static char letter_of(const avro::Node& node) {
    Types types;
    const Type* type = types.without_null(types.from_avro(node));
    if (type->kind == TypeKind::dyn || type->kind == TypeKind::record) return '*';
    const Type* item = type->item;
    for (const Kind& kind : kKinds) {
      if (kind.kind != type->kind) continue;
      if (item == nullptr) return kind.letter;
      if (item->nullable) break;
      if (item->kind == TypeKind::int_) return type->kind == TypeKind::list ? 'I' : 'N';
      if (type->kind == TypeKind::list && item->kind == TypeKind::double_) return 'D';
      if (type->kind == TypeKind::list && item->kind == TypeKind::string) return 'S';
    }
    return '*';
  }

  void walk(const avro::Node& record, const std::string& path,
            const std::vector<std::string>& guards, int depth) {
    for (const avro::Field& field : record.fields) {
      const std::string text = path.empty() ? field.name : path + "." + field.name;
      Found found = of_node(text, *field.type, guards);
      places_.push_back(found);
      const avro::Node* branch = field.type->nullable_branch();
      const avro::Node& node = branch != nullptr ? *branch : *field.type;
      if (node.type == avro::Type::record && depth > 0) walk(node, text, found.guards, depth - 1);
    }
  }

  static Found of_node(const std::string& text, const avro::Node& node,
                       std::vector<std::string> guards) {
    if (node.nullable_branch() != nullptr) guards.push_back(text);
    return {text, &node, letter_of(node), std::move(guards)};
  }

  std::string expression(char letter, int depth) {
    if (random_.chance(mistakes_)) letter = kKinds[random_.below(std::size(kKinds))].letter;
    if (depth == 0 || random_.chance(0.1)) return leaf(letter);
    std::vector<std::string_view> fitting;
    for (const Template& each : kTemplates)
      if (each.kind == letter) fitting.push_back(each.text);
    return grown(fitting[random_.below(fitting.size())], depth - 1);
  }

  std::string grown(std::string_view text, int depth) {
    const size_t outside = places_.size();
    std::string out;
    Found pending;
    for (size_t i = 0; i < text.size(); i++) {
      if (text[i] == '$') {
        out += part(text[++i], depth);
        if (!pending.text.empty()) places_.push_back(std::exchange(pending, {}));
      } else if (text[i] == '#' || text[i] == '@') {
        const bool late = text[i] == '@';
        Found variable = new_variable(text[++i]);
        out += variable.text;
        late ? pending = variable : places_.emplace_back(variable);
      } else {
        out += text[i];
      }
    }
    places_.resize(outside);
    return out;
  }

  std::string part(char letter, int depth) {
    if (letter != 'L' && letter != 'M') return expression(letter, depth);
    const avro::Type wanted = letter == 'L' ? avro::Type::array : avro::Type::map;
    std::vector<const Found*> fitting;
    for (const Found& each : places_)
      if (each.node != nullptr && each.node->type == wanted && each.guards.empty())
        fitting.push_back(&each);
    item_ = fitting.empty() ? nullptr : fitting[random_.below(fitting.size())]->node->items;
    if (fitting.empty()) return letter == 'L' ? "[1, 2]" : "{'a': 1}";
    for (const Found* each : fitting)
      if (each->node->items == item_) return each->text;
    return "";
  }

  Found new_variable(char letter) {
    const std::string name = fmt::format("v{}", next_variable_++);
    if (letter != '?') return {name, nullptr, letter, {}};
    if (item_ == nullptr) return {name, nullptr, 'i', {}};
    return of_node(name, *item_, {});
  }

  std::string leaf(char letter) {
    std::vector<const Found*> fitting;
    for (const Found& each : places_)
      if (each.letter == letter) fitting.push_back(&each);
    if (!fitting.empty() && random_.chance(0.8)) {
      const Found& found = *fitting[random_.below(fitting.size())];
      if (found.guards.empty() || random_.chance(mistakes_)) return found.text;
      return guarded(found, constant(letter));
    }
    return constant(letter);
  }

  std::string guarded(const Found& found, const std::string& instead) {
    const bool has = random_.chance(0.3) && found.text.find('.') != std::string::npos;
    if (found.guards.size() == 1 && random_.chance(0.4))
      return fmt::format("({} == null ? {} : {})", found.guards[0], instead, found.text);
    std::string condition;
    for (const std::string& guard : found.guards) {
      condition += condition.empty() ? "" : " && ";
      condition +=
          has && guard.find('.') != std::string::npos ? "has(" + guard + ")" : guard + " != null";
    }
    return fmt::format("({} ? {} : {})", condition, found.text, instead);
  }

  std::string constant(char letter) {
    for (const Kind& kind : kKinds) {
      if (kind.letter != letter) continue;
      const auto end = std::ranges::find(kind.leaves, "");
      return std::string(
          kind.leaves[random_.below(static_cast<uint64_t>(end - std::begin(kind.leaves)))]);
    }
    return "null";
  }

  Random& random_;
  double mistakes_ = 0;
  std::vector<Found> places_;
  const avro::Node* item_ = nullptr;
  int next_variable_ = 0;
};

}  // namespace penstock::rule
