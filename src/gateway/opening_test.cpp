#include "gateway/opening.hpp"

#include <gtest/gtest.h>

namespace theriac::gateway {
namespace {

using Step = Opening::Step;

Bytes startup(std::vector<pgwire::StartupParameter> parameters, std::uint16_t minor = 0) {
  Bytes out;
  pgwire::write_startup(out, {.major = 3, .minor = minor, .parameters = std::move(parameters)});
  return out;
}
Bytes request(std::uint32_t code) {
  Bytes out;
  append_be(out, std::uint32_t{8});
  append_be(out, code);
  return out;
}
const Bytes kSsl = request(80877103);
const Bytes kGss = request(80877104);

Step feed_all(Opening& opening, ByteView bytes) {
  opening.feed(bytes);
  return opening.next();
}

TEST(Opening, StartupAtEverySplit) {
  const auto packet = startup({{"user", "li"}, {"database", "erp"}});
  for (std::size_t cut = 0; cut <= packet.size(); ++cut) {
    Opening opening({});
    if (cut < packet.size()) {
      ASSERT_EQ(feed_all(opening, ByteView(packet).first(cut)), Step::kMore);
    } else {
      opening.feed(ByteView(packet).first(cut));
    }
    ASSERT_EQ(feed_all(opening, ByteView(packet).subspan(cut)), Step::kStartup);
    EXPECT_EQ(opening.startup_packet(), packet);
    EXPECT_EQ(*opening.startup().find("user"), "li");
    EXPECT_TRUE(opening.take_rest().empty());
  }
}

TEST(Opening, ProtocolThreeTwoIsLeftToTheServer) {
  Opening opening({.enforce = true});
  EXPECT_EQ(feed_all(opening, startup({{"user", "u"}, {"_pq_.x", "1"}}, 2)), Step::kStartup);
  EXPECT_EQ(opening.startup().minor, 2);
}

TEST(Opening, EncryptionIsAnsweredThenStartupGoesOn) {
  Opening plain({});
  EXPECT_EQ(feed_all(plain, kSsl), Step::kAnswerNo);
  EXPECT_EQ(feed_all(plain, kGss), Step::kAnswerNo);
  EXPECT_EQ(feed_all(plain, startup({{"user", "u"}})), Step::kStartup);

  Opening tls({.tls_offered = true, .tls_required = true});
  EXPECT_EQ(feed_all(tls, kGss), Step::kAnswerNo);
  EXPECT_EQ(feed_all(tls, kSsl), Step::kStartTls);
  tls.tls_done();
  EXPECT_EQ(feed_all(tls, startup({{"user", "u"}})), Step::kStartup);
}

TEST(Opening, BytesBehindSslRequestAreNotSmuggledIn) {
  Opening opening({.tls_offered = true});
  auto bytes = kSsl;
  append(bytes, startup({{"user", "attacker"}}));
  EXPECT_EQ(feed_all(opening, bytes), Step::kRefuse);
  EXPECT_EQ(opening.error().code, Code::kProtocol);
}

TEST(Opening, RequestsAreTakenOnce) {
  Opening opening({});
  EXPECT_EQ(feed_all(opening, kSsl), Step::kAnswerNo);
  EXPECT_EQ(feed_all(opening, kSsl), Step::kRefuse);
  Opening gss({});
  EXPECT_EQ(feed_all(gss, kGss), Step::kAnswerNo);
  EXPECT_EQ(feed_all(gss, kGss), Step::kRefuse);
  Opening inside({.tls_offered = true});
  EXPECT_EQ(feed_all(inside, kSsl), Step::kStartTls);
  inside.tls_done();
  EXPECT_EQ(feed_all(inside, kGss), Step::kRefuse);
}

TEST(Opening, DirectTlsOnlyAsTheFirstByteAndOnlyIfConfigured) {
  const Bytes hello{0x16, 0x03, 0x01, 0x02};
  Opening with({.tls_offered = true});
  EXPECT_EQ(feed_all(with, hello), Step::kDirectTls);
  EXPECT_EQ(with.take_rest(), hello);
  Opening without({});
  EXPECT_EQ(feed_all(without, hello), Step::kRefuse);
  Opening later({.tls_offered = true});
  EXPECT_EQ(feed_all(later, kGss), Step::kAnswerNo);
  EXPECT_EQ(feed_all(later, hello), Step::kRefuse);
}

TEST(Opening, TlsCanBeDemanded) {
  Opening opening({.tls_offered = true, .tls_required = true});
  EXPECT_EQ(feed_all(opening, startup({{"user", "u"}})), Step::kRefuse);
}

TEST(Opening, CancelIsRead) {
  Bytes packet;
  pgwire::write_cancel(packet, {.process_id = 77, .secret_key = {1, 2, 3, 4}});
  Opening opening({.tls_required = true});
  ASSERT_EQ(feed_all(opening, packet), Step::kCancel);
  EXPECT_EQ(opening.cancel_request().process_id, 77U);
  EXPECT_EQ(opening.cancel_request().secret_key, (Bytes{1, 2, 3, 4}));
}

TEST(Opening, HostilePacketsAreRefused) {
  const auto refused = [](Bytes bytes) {
    Opening opening({});
    return feed_all(opening, bytes) == Step::kRefuse;
  };
  EXPECT_TRUE(refused({0, 0, 0, 0}));
  EXPECT_TRUE(refused({0, 0, 0, 7}));
  EXPECT_TRUE(refused({0x7f, 0xff, 0xff, 0xff}));
  EXPECT_TRUE(refused(bytes_of("GET / HTTP/1.0\r\n\r\n")));
  Bytes big;
  append_be(big, pgwire::kStartupBytesMax + 5);
  EXPECT_TRUE(refused(big));
  Bytes limit;
  append_be(limit, pgwire::kStartupBytesMax + 4);
  Opening opening({});
  EXPECT_EQ(feed_all(opening, limit), Step::kMore);
}

Code enforced(std::vector<pgwire::StartupParameter> parameters) {
  Opening opening({.enforce = true});
  const auto packet = startup(std::move(parameters));
  return feed_all(opening, packet) == Step::kRefuse ? opening.error().code : Code::kInternal;
}
constexpr Code kAccepted = Code::kInternal;

TEST(Opening, EnforceRefusesWhatGoesAroundIt) {
  EXPECT_EQ(enforced({{"user", "u"}, {"application_name", "client_encoding=latin1"}}), kAccepted);
  for (const char* on : {"true", "database", "1", "yes", "on", "x", ""}) {
    EXPECT_EQ(enforced({{"replication", on}}), Code::kUnsupported) << on;
  }
  for (const char* off : {"false", "0", "no", "off", "OFF", "f"}) {
    EXPECT_EQ(enforced({{"replication", off}}), kAccepted) << off;
  }
}

TEST(Opening, EnforcePinsTheEncoding) {
  // Of a name it does not know the server complains itself.
  for (const char* good : {"UTF8", "utf-8", "Unicode", "UTF_8", "SJIS", "latin1", "SQL_ASCII",
                           "GBK", "big5", "ISO-8859-15", "", "utf16"}) {
    EXPECT_EQ(enforced({{"client_encoding", good}}), kAccepted) << good;
  }
  for (const char* bad : {"MULE_INTERNAL", "euc_tw", "JOHAB", "SHIFT_JIS_2004", "EUC_JIS_2004"}) {
    EXPECT_EQ(enforced({{"client_encoding", bad}}), Code::kBadEncoding) << bad;
  }
  EXPECT_EQ(enforced({{"Client_Encoding", "johab"}}), Code::kBadEncoding);
  EXPECT_EQ(enforced({{"options", "-c client_encoding=EUC_TW"}}), Code::kBadEncoding);
}

TEST(Opening, EnforceReadsOptionsAsPostgreSqlDoes) {
  for (const char* bad :
       {"-c client_encoding=JOHAB", "-cclient_encoding=johab", "--client-encoding=EUC_TW",
        "-c geqo=on -c CLIENT_encoding=euc_tw", "-c\\ geqo=on -c client_encoding=johab",
        "-ec client_encoding=johab", "  --client_encoding=johab", "-c client\\_encoding=johab"}) {
    EXPECT_EQ(enforced({{"options", bad}}), Code::kBadEncoding) << bad;
  }
  for (const char* good : {"-c standard_conforming_strings=off", "-c geqo=off", "--search_path=a,b",
                           "-c application_name=a\\ b", "", "-c"}) {
    EXPECT_EQ(enforced({{"options", good}}), kAccepted) << good;
  }
  EXPECT_EQ(enforced({{"standard_conforming_strings", "off"}}), kAccepted);
}

TEST(Opening, OptionsAreSplitAsPostgreSqlDoes) {
  EXPECT_EQ(split_options("  a  b\\ c\td\\\\e\\"),
            (std::vector<std::string>{"a", "b c", "d\\e\\"}));
  EXPECT_TRUE(split_options("  ").empty());
}

}  // namespace
}  // namespace theriac::gateway
