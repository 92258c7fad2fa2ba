// Several ranks of the communicators over c10d, as threads of this process, and how they lose each
// other. With real processes: tests/dist.
#include "dist/group.h"

#include <ATen/ops/full.h>
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "moco/communicators/communicator.h"
#include "moco/communicators/communicator_contract.h"

namespace dist {
namespace {

using moco::Communicator;
using ::testing::HasSubstr;

// A socket that listens on a free port of the loopback interface.
struct Listening {
  Listening() : fd(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(fd, 16), 0);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    port = ntohs(address.sin_port);
  }
  int fd, port;
};

std::string Spec(const Listening& store, int rank, int size, double timeout = 20) {
  return absl::StrCat("gloo:rank=", rank, ",size=", size, ",port=", store.port,
                      ",timeout=", timeout, rank == 0 ? absl::StrCat(",store_fd=", store.fd) : "");
}

// Runs `body` as each of `size` ranks.
void AsRanks(int size, const std::function<void(Communicator&)>& body) {
  const Listening store;
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < size; ++rank) {
    ranks.emplace_back([&, rank] {
      auto communicator = moco::Communicators().Create(Spec(store, rank, size));
      ASSERT_TRUE(communicator.ok()) << communicator.status();
      EXPECT_EQ((*communicator)->rank(), rank);
      EXPECT_EQ((*communicator)->size(), size);
      body(**communicator);
      (*communicator)->AllGather(at::full({1}, 0));  // none leaves before the others are done
    });
  }
  for (std::thread& rank : ranks) rank.join();
}

TEST(GroupTest, KeepsTheContract) {
  for (const int size : {1, 2, 3, 4})
    AsRanks(size, [](Communicator& c) { moco::ExpectContract(c); });
}

TEST(GroupTest, MeetsInAFile) {
  const std::string file = testing::TempDir() + "/store";
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < 2; ++rank) {
    ranks.emplace_back([&, rank] {
      auto communicator = moco::Communicators().Create(
          absl::StrCat("gloo:rank=", rank, ",size=2,timeout=20,store_file=", file));
      ASSERT_TRUE(communicator.ok()) << communicator.status();
      moco::ExpectContract(**communicator);
    });
  }
  for (std::thread& rank : ranks) rank.join();
}

// What a run leaves that was killed: its words of the start, and no end.
TEST(GroupTest, AFileOfAnEarlierRunIsNoMatter) {
  const std::string file = testing::TempDir() + "/used";
  const auto meet = [&](int rank, double timeout) {
    return moco::Communicators().Create(
        absl::StrCat("gloo:rank=", rank, ",size=2,timeout=", timeout, ",store_file=", file));
  };
  const auto both = [&](double timeout) {
    std::unique_ptr<Communicator> first, second;
    std::thread other([&] { second = meet(1, timeout).value(); });
    first = meet(0, timeout).value();
    other.join();
    return std::pair(std::move(first), std::move(second));
  };
  auto killed = both(20);
  const std::string left = absl::StrCat(file, ".left");
  std::filesystem::copy_file(file, left);
  killed = {};
  EXPECT_FALSE(std::filesystem::exists(file)) << "a run that ends well leaves no file";
  std::filesystem::rename(left, file);
  EXPECT_THAT(std::string(meet(0, 0.5).status().message()), HasSubstr("rank 1 of 2 did not come"));
  EXPECT_THAT(std::string(meet(1, 0.5).status().message()), HasSubstr("rank 0 of 2 did not come"));
  auto again = both(20);
  EXPECT_EQ(again.first->size(), 2);
}

TEST(GroupTest, TheOthersHearWhyARankHasEnded) {
  for (const int leaves : {0, 1}) {
    std::string heard;
    const Listening store;
    std::vector<std::thread> ranks;
    for (int rank = 0; rank < 2; ++rank) {
      ranks.emplace_back([&, rank] {
        // A process that ends closes its connections; a thread's stay until the timeout.
        auto made = moco::Communicators().Create(Spec(store, rank, 2, /*timeout=*/1.5)).value();
        if (rank == leaves) {
          made->Leave(absl::DataLossError("image 5 is damaged"));
          return;
        }
        try {
          made->AllGather(at::full({1}, 0));
        } catch (const moco::PeerError& e) {
          heard = e.what();
        }
      });
    }
    for (std::thread& rank : ranks) rank.join();
    EXPECT_THAT(heard, HasSubstr(absl::StrCat("rank ", leaves, " has ended: image 5 is damaged")));
  }
}

TEST(GroupTest, WhoDoesNotComeIsNamed) {
  const Listening store;
  const auto communicator = moco::Communicators().Create(Spec(store, 0, 3, /*timeout=*/0.5));
  EXPECT_TRUE(absl::IsUnavailable(communicator.status()));
  EXPECT_THAT(std::string(communicator.status().message()),
              HasSubstr("rank 1, 2 of 3 did not come"));
}

TEST(GroupTest, AStoreThatIsNotThereIsAnError) {
  const Listening store;
  close(store.fd);
  const auto communicator = moco::Communicators().Create(Spec(store, 1, 2, /*timeout=*/0.5));
  EXPECT_TRUE(absl::IsUnavailable(communicator.status()));
  EXPECT_THAT(std::string(communicator.status().message()),
              HasSubstr(absl::StrCat("tcp://127.0.0.1:", store.port)));
}

TEST(GroupTest, APortInUseIsAnError) {
  const Listening store;
  const auto communicator = moco::Communicators().Create(
      absl::StrCat("gloo:rank=0,size=2,port=", store.port, ",timeout=0.5"));
  EXPECT_TRUE(absl::IsUnavailable(communicator.status()));
  EXPECT_THAT(std::string(communicator.status().message()), HasSubstr("Address already in use"));
}

TEST(GroupTest, ASocketThatCannotBeOpenedIsAnErrorOfItsOwn) {
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  const auto communicator = moco::Communicators().Create("gloo:rank=0,size=2,port=1,timeout=0.5");
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(absl::IsUnavailable(communicator.status()));
  EXPECT_THAT(std::string(communicator.status().message()), HasSubstr("Too many open files"));
}

// Over IPv6, as on several machines: the store listens on every address.
TEST(GroupTest, MeetsAtAnIpv6Address) {
  const int fd = socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  socklen_t length = sizeof(address);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  close(fd);
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < 2; ++rank) {
    ranks.emplace_back([&, rank] {
      auto communicator = moco::Communicators().Create(absl::StrCat(
          "gloo:rank=", rank,
          ",size=2,timeout=20,host=::1,one_machine=false,port=", ntohs(address.sin6_port)));
      ASSERT_TRUE(communicator.ok()) << communicator.status();
      moco::ExpectContract(**communicator);
    });
  }
  for (std::thread& rank : ranks) rank.join();
}

TEST(GroupTest, ARankIsBelowTheSize) {
  const auto communicator = moco::Communicators().Create("gloo:rank=2,size=2");
  EXPECT_TRUE(absl::IsInvalidArgument(communicator.status()));
}

}  // namespace
}  // namespace dist
