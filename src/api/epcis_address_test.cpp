#include "api/epcis_address.hpp"

#include <gtest/gtest.h>

#include "api/limits.hpp"

namespace theriac::api {
namespace {

TEST(EpcisAddressTest, OnlyPublicAddresses) {
  for (const auto* one :
       {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0",
        "192.167.255.255", "223.255.255.255", "2606:4700::1111", "2400:3200::1"}) {
    EXPECT_TRUE(is_public_address(one)) << one;
  }
  for (const auto* one : {"0.0.0.0",
                          "10.0.0.1",
                          "10.255.255.255",
                          "100.64.0.1",
                          "127.0.0.1",
                          "127.255.255.254",
                          "169.254.169.254",
                          "172.16.0.1",
                          "172.31.255.255",
                          "192.168.1.1",
                          "192.0.2.1",
                          "198.18.0.1",
                          "198.19.255.255",
                          "198.51.100.7",
                          "203.0.113.7",
                          "224.0.0.1",
                          "240.0.0.1",
                          "255.255.255.255",
                          "::",
                          "::1",
                          "::ffff:127.0.0.1",
                          "::ffff:8.8.8.8",
                          "64:ff9b::7f00:1",
                          "fe80::1",
                          "fc00::1",
                          "fd12::1",
                          "ff02::1",
                          "2001::1",
                          "2001:db8::1",
                          "2002:7f00:1::",
                          "fec0::1",
                          "localhost",
                          "",
                          "8.8.8",
                          "0x7f.1",
                          "8.8.8.8 "}) {
    EXPECT_FALSE(is_public_address(one)) << one;
  }
}

TEST(EpcisAddressTest, OnlyHttps) {
  const auto good = [](std::string_view text) {
    const auto found = parse_destination(text);
    return found ? found->server.text() + " " + found->target : "refused";
  };
  EXPECT_EQ(good("https://client.example.com/queryCallback"),
            "client.example.com:443 /queryCallback");
  EXPECT_EQ(good("https://client.example.com"), "client.example.com:443 /");
  EXPECT_EQ(good("https://client.example.com:8443?a=b"), "client.example.com:8443 /?a=b");
  EXPECT_EQ(good("https://[2606:4700::1111]/x"), "[2606:4700::1111]:443 /x");
  for (const auto* one :
       {"http://client.example.com/", "HTTPS://client.example.com/", "https://", "https:///x",
        "https://user@example.com/", "https://example.com:0/", "https://example.com:99999/",
        "https://example.com/#x", "https://exam ple.com/", "https://example.com/\r\nX: y",
        "https://ex%61mple.com/", "https://example.com\\@other/", "ftp://example.com/", "",
        "https://example.com:/"}) {
    EXPECT_EQ(good(one), "refused") << one;
  }
  const auto longest = "https://example.com/" + std::string(kDestinationBytesMax - 20, 'a');
  EXPECT_NE(good(longest), "refused");
  EXPECT_EQ(good(longest + "a"), "refused");
}

TEST(EpcisAddressTest, PrivateOnesWhereTheyAreNamed) {
  const runtime::Endpoint here{.host = "127.0.0.1", .port = 8443, .unix_path = {}};
  auto elsewhere = here;
  elsewhere.port = 22;
  EXPECT_EQ(resolve_destination(here, {}).error().code, Code::kDenied);
  EXPECT_EQ(*resolve_destination(here, {here}), "127.0.0.1");
  EXPECT_EQ(resolve_destination(elsewhere, {here}).error().code, Code::kDenied);
  // A name is where it leads.
  const runtime::Endpoint name{.host = "localhost", .port = 443, .unix_path = {}};
  EXPECT_EQ(resolve_destination(name, {here}).error().code, Code::kDenied);
  const runtime::Endpoint none{.host = "no-such-name.invalid", .port = 443, .unix_path = {}};
  EXPECT_EQ(resolve_destination(none, {}).error().code, Code::kUpstream);
}

}  // namespace
}  // namespace theriac::api
