#include "core/utf8.h"

#include <doctest/doctest.h>

#include <string>

namespace warmswap::test {

TEST_CASE("text of any length and any characters is UTF-8") {
  for (const char* text :
       {"", "a",
        "gr\xc3\xb6\xc3\x9f"
        "e",
        "\xe2\x82\xac", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(text);
    CHECK(IsUtf8(text));
  }
  CHECK(IsUtf8(std::string(1, '\0')));
}

TEST_CASE("bytes that stand alone, are cut off, overlong, surrogates or beyond Unicode are not") {
  for (const char* bytes :
       {"\x80", "\xff", "a\xc3", "\xc3(", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe2\x82",
        "\xe2(\xa1", "\xe2\x82(", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\xaf",
        "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    CAPTURE(bytes);
    CHECK_FALSE(IsUtf8(bytes));
  }
}

}  // namespace warmswap::test
