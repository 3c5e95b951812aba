#include "aws/xml.h"

#include "base/random.h"

#include <doctest/doctest.h>

#include <string>

namespace penstock::aws {
namespace {

constexpr std::string_view kList =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><!-- one -->\n"
    "<Name>b</Name><Contents><Key>p%2Fa&amp;b</Key><Size>12</Size></Contents>"
    "<Contents><Key>&#x20ac;&#65;</Key><Owner xsi:type='C' a=\"&gt;\"/></Contents>"
    "<IsTruncated>false</IsTruncated></ListBucketResult>\n";

std::string leveled(size_t levels) {
  std::string open, close;
  for (size_t i = 0; i < levels; ++i) {
    open += "<a>";
    close += "</a>";
  }
  return open + close;
}

}  // namespace

TEST_CASE("XML: elements, texts, where they stand") {
  const auto root = parse_xml(kList);
  REQUIRE(root);
  CHECK(root->name == "ListBucketResult");
  CHECK(root->text_of("Name") == "b");
  REQUIRE(root->children.size() == 4);
  CHECK(root->children[1].text_of("Key") == "p%2Fa&b");
  CHECK(root->children[1].source == "<Contents><Key>p%2Fa&amp;b</Key><Size>12</Size></Contents>");
  CHECK(root->children[2].text_of("Key") ==
        "\xe2\x82\xac"
        "A");
  CHECK(root->find("Size")->text == "12");
  CHECK(root->find("Nothing") == nullptr);
  CHECK(root->text_of("Nothing").empty());
  CHECK(parse_xml("  \n <a/>")->name == "a");  // S3 sends blanks while it is busy
  CHECK(parse_xml("<a>" + xml_escaped("<&>\"'x") + "</a>")->text == "<&>\"'x");
}

TEST_CASE("XML: what is not whole, or more than is needed, is refused") {
  for (const std::string_view text : {"",
                                      " ",
                                      "<a>",
                                      "<a></b>",
                                      "<a/><b/>",
                                      "<a/>x",
                                      "x<a/>",
                                      "<a b></a>",
                                      "<a b=c/>",
                                      "<a b='</a>",
                                      "<a>&unknown;</a>",
                                      "<a>&#0;</a>",
                                      "<a>&#xd800;</a>",
                                      "<a>&#x110000;</a>",
                                      "<a>&amp</a>",
                                      "<a>&#;</a>",
                                      "<a>&#-1;</a>",
                                      "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
                                      "<a><?php ?></a>",
                                      "<a><![CDATA[x]]></a>",
                                      "<a><!-- </a>",
                                      "< a/>",
                                      "<a",
                                      "<?xml <a/>",
                                      "<a>\x01</a>",
                                      "<html><br></html>"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_xml(text));
  }
  CHECK(parse_xml(leveled(kXmlLevelsMax)));
  CHECK_FALSE(parse_xml(leveled(kXmlLevelsMax + 1)));
  std::string many = "<a>";
  for (size_t i = 0; i < kXmlElementsMax; ++i) many += "<b/>";
  CHECK_FALSE(parse_xml(many + "</a>"));
  CHECK_FALSE(parse_xml("<a>" + std::string(kXmlBytesMax, ' ') + "</a>"));
}

TEST_CASE("XML: no cut text is a document, and damage never reads outside of it") {
  const std::string whole(kList.substr(0, kList.size() - 1));
  for (size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(parse_xml(std::string(whole, 0, size)));
  }
  Random random(7);
  size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = whole;
    for (uint64_t hits = 1 + random.below(4); hits > 0; --hits) {
      constexpr std::string_view kBytes = "<>/&;='\"! ?-#x\0a\xff";
      const size_t at = random.below(text.size());
      const char with = kBytes[random.below(kBytes.size())];
      if (random.chance(0.3)) {
        text.erase(at, 1 + random.below(8));
      } else if (random.chance(0.5)) {
        text.insert(at, 1, with);
      } else {
        text[at] = with;
      }
    }
    const auto root = parse_xml(text);
    if (!root) continue;
    ++read;
    CHECK(root->source.data() >= text.data());
    CHECK(root->source.data() + root->source.size() <= text.data() + text.size());
  }
  CHECK(read > 100);  // texts and names may change without harm
}

}  // namespace penstock::aws
