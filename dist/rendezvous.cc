#include "dist/rendezvous.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/hex.h"

namespace dist {
namespace {

constexpr char kMissing[] = "missing", kNobody[] = "nobody";  // key and value in the store

std::string PercentDecoded(const std::string& text) {
  std::string path;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      if (const auto byte = base::BytesOfHex(text.substr(i + 1, 2))) {
        path += *byte;
        i += 2;
        continue;
      }
    }
    path += text[i];
  }
  return path;
}

std::string StoreUrl(const GroupOptions& o) {
  if (!o.store_file.empty()) return absl::StrCat("file://", PercentDecoded(o.store_file));
  return absl::StrContains(o.host, ":") ? absl::StrCat("tcp://[", o.host, "]:", o.port)
                                        : absl::StrCat("tcp://", o.host, ":", o.port);
}

// --- Addresses ---

// An IPv4 or an IPv6 address with a port.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  in_port_t& port() {  // in network byte order
    return storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(storage).sin6_port
                                         : reinterpret_cast<sockaddr_in&>(storage).sin_port;
  }
};

// The address of rank 0's host. A host that has both kinds of address has the IPv4 one on every
// rank, since Gloo connects addresses of one kind only.
absl::StatusOr<Address> HostAddress(const GroupOptions& options) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  int error = 0;
  for (const int family : {AF_INET, AF_INET6}) {
    hints.ai_family = family;
    error = getaddrinfo(options.host.c_str(), absl::StrCat(options.port).c_str(), &hints, &found);
    if (error != 0) continue;
    Address address;
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.length = found->ai_addrlen;
    freeaddrinfo(found);
    return address;
  }
  return absl::InvalidArgumentError(absl::StrCat("cannot find the host of ", StoreUrl(options),
                                                 ": ", gai_strerror(error),
                                                 "; correct --dist-url"));
}

// A listening socket: on loopback only where all ranks are on one machine, otherwise on every
// address of the kind that the host of rank 0 has.
absl::StatusOr<int> Listen(const GroupOptions& options) {
  const auto failed = [&] {
    return absl::UnavailableError(absl::StrCat("rank 0 cannot serve the store at ",
                                               StoreUrl(options), ": ", std::strerror(errno),
                                               "; choose another port by --dist-url"));
  };
  Address address;
  if (!options.one_machine) {
    auto host = HostAddress(options);
    if (!host.ok()) return host.status();
    address.storage.ss_family = host->storage.ss_family;
  } else {
    address.storage.ss_family = AF_INET;
  }
  if (address.storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_addr = in6addr_any;
    address.length = sizeof(sockaddr_in6);
  } else {
    reinterpret_cast<sockaddr_in&>(address.storage).sin_addr.s_addr =
        htonl(options.one_machine ? INADDR_LOOPBACK : INADDR_ANY);
    address.length = sizeof(sockaddr_in);
  }
  address.port() = htons(static_cast<uint16_t>(options.port));
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return base::ErrnoStatus("rank 0 cannot open a socket for", StoreUrl(options));
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(fd, address.get(), address.length) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  const absl::Status status = failed();
  close(fd);
  return status;
}

uint16_t PortOf(int fd) {
  Address address;
  getsockname(fd, address.get(), &address.length);
  return ntohs(address.port());
}

// The address of this machine that the others reach: the one that leads to rank 0.
absl::StatusOr<std::string> OwnAddress(const GroupOptions& options) {
  if (options.one_machine) return std::string("127.0.0.1");
  auto host = HostAddress(options);
  if (!host.ok()) return host.status();
  if (host->port() == 0) host->port() = htons(1);  // any: nothing is sent
  const int fd = socket(host->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  Address own;
  char text[NI_MAXHOST];
  const bool routed = fd >= 0 && connect(fd, host->get(), host->length) == 0 &&
                      getsockname(fd, own.get(), &own.length) == 0;
  const int why = errno;
  if (fd >= 0) close(fd);
  if (!routed ||
      getnameinfo(own.get(), own.length, text, sizeof(text), nullptr, 0, NI_NUMERICHOST) != 0) {
    return absl::UnavailableError(absl::StrCat("this machine has no route to ", StoreUrl(options),
                                               ": ", std::strerror(why), "; correct --dist-url"));
  }
  return std::string(text);
}

// --- The store ---

// `serve`: this process is the store's server; otherwise it is one of its clients.
absl::StatusOr<StorePtr> OpenStore(const GroupOptions& options, bool serve) {
  if (options.size == 1) return StorePtr(c10::make_intrusive<c10d::HashStore>());
  c10d::TCPStoreOptions tcp;
  tcp.port = static_cast<uint16_t>(options.port);
  tcp.waitWorkers = false;  // WaitForAll() names the missing ranks
  tcp.timeout = Milliseconds(options.timeout);
  tcp.useLibUV = false;
  tcp.isServer = serve;
  if (serve) {
    int fd = static_cast<int>(options.store_fd);
    if (fd < 0) {
      auto listening = Listen(options);
      if (!listening.ok()) return listening.status();
      fd = *listening;
    }
    tcp.masterListenFd = fd;
    tcp.port = PortOf(fd);
  }
  const std::string host = options.one_machine ? "127.0.0.1" : options.host;
  try {
    if (options.store_file.empty()) return StorePtr(c10::make_intrusive<c10d::TCPStore>(host, tcp));
    // The file is removed when the last of the processes has closed it, each of which opens it
    // twice.
    auto store =
        c10::make_intrusive<c10d::FileStore>(PercentDecoded(options.store_file), 2 * options.size);
    store->setTimeout(Milliseconds(options.timeout));
    return StorePtr(store);
  } catch (const std::exception& e) {
    return absl::UnavailableError(
        absl::StrCat("rank ", options.rank, " cannot reach the store of rank 0 at ",
                     StoreUrl(options), " within ", options.timeout,
                     " s; is rank 0 running, and is --dist-url its address? (", FirstLine(e), ")"));
  }
}

// Calls `done` until it returns true. False when it does not within the timeout.
bool WaitUntil(const GroupOptions& options, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + Milliseconds(options.timeout);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

// The prefix of a run's keys in the store, so that it finds none that an earlier attempt left. For
// a store that a process serves, the number of restarts is enough. A file may be left by any
// earlier run: there rank 0 draws a random name and sends it to each rank that asks for it, in
// answer to the random word in the question.
class StoreNamespace {
 public:
  StoreNamespace(StorePtr store, const GroupOptions& options)
      : store_(std::move(store)),
        options_(options),
        name_(options.store_file.empty() ? absl::StrCat(options.restarts) : RandomWord()) {}

  // On ranks above 0: asks rank 0 for the name. False when it does not answer within the timeout.
  bool Ask() {
    if (options_.store_file.empty() || options_.rank == 0) return true;
    const std::string question = RandomWord(), key = RankKey("welcome", options_.rank);
    SetText(*store_, RankKey("hello", options_.rank), question);
    return WaitUntil(options_, [&] {
      const std::vector<std::string> answer = absl::StrSplit(TextOrEmpty(key), ' ');
      if (answer[0] != question) return false;
      name_ = answer[1];
      return true;
    });
  }

  // On rank 0: answers the ranks that have asked.
  void Answer() {
    if (options_.store_file.empty()) return;
    for (int64_t rank = 1; rank < options_.size; ++rank) {
      const std::string question = TextOrEmpty(RankKey("hello", rank));
      if (question.empty() || question == answered_[rank]) continue;
      SetText(*store_, RankKey("welcome", rank), absl::StrCat(question, " ", name_));
      answered_[rank] = question;
    }
  }

  StorePtr Below(StorePtr store) const {
    return c10::make_intrusive<c10d::PrefixStore>(absl::StrCat("mocopp/", name_), store);
  }

 private:
  static std::string RandomWord() {
    std::random_device random;
    return absl::StrCat(absl::Hex(random()), absl::Hex(random()));
  }

  std::string TextOrEmpty(const std::string& key) {
    return store_->check({key}) ? GetText(*store_, key) : "";
  }

  const StorePtr store_;
  const GroupOptions& options_;
  std::string name_;
  std::map<int64_t, std::string> answered_;
};

// On rank 0: the ranks that do not come within the timeout, or kNobody.
std::string FindMissing(c10d::Store& store, const GroupOptions& options, StoreNamespace& name) {
  std::vector<std::string> keys;
  for (int64_t rank = 0; rank < options.size; ++rank) keys.push_back(RankKey("here", rank));
  const bool all = WaitUntil(options, [&] {
    name.Answer();
    return store.check(keys);
  });
  if (all) return kNobody;
  std::vector<int64_t> missing;
  for (int64_t rank = 0; rank < options.size; ++rank) {
    if (!store.check({keys[rank]})) missing.push_back(rank);
  }
  return absl::StrJoin(missing, ", ");
}

// Rank 0 waits for every rank and publishes who is missing: the process that serves the store must
// not leave before the others.
absl::Status WaitForAll(const StorePtr& opened, const GroupOptions& options, StoreNamespace& name) {
  std::string missing = "0";  // unless rank 0 says otherwise
  try {
    if (name.Ask()) {
      const StorePtr store = name.Below(opened);
      store->set(RankKey("here", options.rank), std::vector<uint8_t>{1});
      if (options.rank == 0) SetText(*store, kMissing, FindMissing(*store, options, name));
      store->wait({kMissing}, Milliseconds(options.timeout) + kDiagnosisTime);
      missing = GetText(*store, kMissing);
    }
  } catch (const std::exception&) {  // rank 0 is not there
  }
  if (missing == kNobody) return absl::OkStatus();
  if (options.rank == 0) std::this_thread::sleep_for(kDiagnosisTime);
  return absl::UnavailableError(absl::StrCat(
      "rank ", missing, " of ", options.size, " did not come to ", StoreUrl(options), " within ",
      options.timeout, " s; start every rank with the same --dist-url, or raise --dist-timeout"));
}

}  // namespace

std::string PercentEncoded(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (absl::ascii_isalnum(c) || absl::StrContains("/._-", std::string(1, c))) {
      text += c;
    } else {
      absl::StrAppend(&text, "%", absl::BytesToHexString(std::string(1, c)));
    }
  }
  return text;
}

absl::StatusOr<Rendezvous> Meet(const GroupOptions& options) {
  const bool serve = options.rank == 0 && !options.store_is_there && options.store_file.empty();
  auto first = OpenStore(options, serve);
  if (!first.ok()) return first.status();
  StoreNamespace name(*first, options);
  if (absl::Status s = WaitForAll(*first, options, name); !s.ok()) return s;
  auto second = OpenStore(options, /*serve=*/false);
  if (!second.ok()) return second.status();
  auto interface = OwnAddress(options);
  if (!interface.ok()) return interface.status();
  return Rendezvous{name.Below(*first), name.Below(*second), *std::move(interface)};
}

}  // namespace dist
