#include "dist/group.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <arpa/inet.h>
#include <c10/util/Logging.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <random>
#include <thread>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/distributed/c10d/comm.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace dist {
namespace {

using StorePtr = c10::intrusive_ptr<c10d::Store>;
using std::chrono::milliseconds;

constexpr int64_t kFirstBucketBytes = 1 << 20,
                  kBucketBytes = 25 << 20;  // as PyTorch's DDP has them

// A process says in the store that it is alive, every so often; who does not say so for a while is
// taken for lost. All of them together end within 2 s when they have found that something is wrong.
constexpr milliseconds kBeat{150}, kSilence{1000}, kDiagnosis{1400}, kPoll{20};

constexpr char kMissing[] = "missing", kNobody[] = "nobody";  // at the start

milliseconds Milliseconds(double seconds) {
  return milliseconds(static_cast<int64_t>(1000 * seconds));
}

std::string Key(const char* what, int64_t rank) { return absl::StrCat(what, "/", rank); }

// The first line of what an exception says, without its place in the source.
std::string Reason(const std::exception& e) {
  std::string text = e.what();
  text.resize(std::min(text.find('\n'), text.size()));
  const size_t end = text.find("] ");
  return text[0] == '[' && end != std::string::npos ? text.substr(end + 2) : text;
}

std::vector<uint8_t> Bytes(const std::string& text) { return {text.begin(), text.end()}; }

std::string Place(const GroupOptions& o) {
  return o.store_file.empty() ? absl::StrCat("tcp://", o.host, ":", o.port)
                              : absl::StrCat("file://", o.store_file);
}

// --- The store ---

// A socket that listens: on one machine for itself alone.
absl::StatusOr<int> Listen(const GroupOptions& options) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(options.port));
  address.sin_addr.s_addr = htonl(options.one_machine ? INADDR_LOOPBACK : INADDR_ANY);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(fd, SOMAXCONN) != 0) {
    const int error = errno;
    close(fd);
    return absl::UnavailableError(absl::StrCat("rank 0 cannot serve the store at ", Place(options),
                                               ": ", std::strerror(error),
                                               "; choose another port by --dist-url"));
  }
  return fd;
}

uint16_t PortOf(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

// `serve`: this process is the store's server; otherwise one of its clients.
absl::StatusOr<StorePtr> OpenStore(const GroupOptions& options, bool serve) {
  if (options.size == 1) return StorePtr(c10::make_intrusive<c10d::HashStore>());
  c10d::TCPStoreOptions tcp;
  tcp.port = static_cast<uint16_t>(options.port);
  tcp.waitWorkers = false;  // Meet() says who is missing
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
    // The file goes when the last of the processes has closed it, each of which opens it twice.
    auto store = c10::make_intrusive<c10d::FileStore>(options.store_file, 2 * options.size);
    store->setTimeout(Milliseconds(options.timeout));
    return StorePtr(store);
  } catch (const std::exception& e) {
    return absl::UnavailableError(absl::StrCat(
        "rank ", options.rank, " cannot reach the store of rank 0 at ", Place(options), " within ",
        options.timeout, " s; is rank 0 running, and --dist-url its address? (", Reason(e), ")"));
  }
}

// Calls `done` every so often until it is true; false when it is not within the timeout.
bool Await(const GroupOptions& options, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + Milliseconds(options.timeout);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

// By what a start's keys begin, so that nothing is found that an earlier one has left. Restarts are
// counted by who starts the processes. But a file may be of any earlier run: there rank 0 thinks of
// a name, and tells it to those that say hello, each time by another word.
class NameOfStart {
 public:
  NameOfStart(StorePtr store, const GroupOptions& options)
      : store_(std::move(store)),
        options_(options),
        name_(options.store_file.empty() ? absl::StrCat(options.restarts) : NewWord()) {}

  // False when rank 0 has not told it within the timeout.
  bool Ask() {
    if (options_.store_file.empty() || options_.rank == 0) return true;
    const std::string word = NewWord(), answer = Key("welcome", options_.rank);
    store_->set(Key("hello", options_.rank), Bytes(word));
    return Await(options_, [&] {
      const std::vector<std::string> told = absl::StrSplit(Read(answer), ' ');
      if (told[0] != word) return false;
      name_ = told[1];
      return true;
    });
  }

  // Of rank 0: tells it to those that have come.
  void Tell() {
    if (options_.store_file.empty()) return;
    for (int64_t rank = 1; rank < options_.size; ++rank) {
      const std::string word = Read(Key("hello", rank));
      if (word.empty() || word == answered_[rank]) continue;
      store_->set(Key("welcome", rank), Bytes(absl::StrCat(word, " ", name_)));
      answered_[rank] = word;
    }
  }

  StorePtr Below(StorePtr store) const {
    return c10::make_intrusive<c10d::PrefixStore>(absl::StrCat("mocopp/", name_), store);
  }

 private:
  static std::string NewWord() {
    std::random_device random;
    return absl::StrCat(absl::Hex(random()), absl::Hex(random()));
  }

  std::string Read(const std::string& key) {
    if (!store_->check({key})) return "";
    const std::vector<uint8_t> value = store_->get(key);
    return {value.begin(), value.end()};
  }

  const StorePtr store_;
  const GroupOptions& options_;
  std::string name_;
  std::map<int64_t, std::string> answered_;
};

// Who is not there within the timeout.
std::string FindMissing(c10d::Store& store, const GroupOptions& options, NameOfStart& name) {
  std::vector<std::string> keys;
  for (int64_t rank = 0; rank < options.size; ++rank) keys.push_back(Key("here", rank));
  const bool all = Await(options, [&] {
    name.Tell();
    return store.check(keys);
  });
  if (all) return kNobody;
  std::vector<int64_t> missing;
  for (int64_t rank = 0; rank < options.size; ++rank) {
    if (!store.check({keys[rank]})) missing.push_back(rank);
  }
  return absl::StrJoin(missing, ", ");
}

// Waits for every process: rank 0 does, and tells the others, for who serves the store must not
// leave before them.
absl::Status Meet(const StorePtr& opened, const GroupOptions& options, NameOfStart& name) {
  std::string missing = "0";  // when nothing is heard
  try {
    if (name.Ask()) {
      const StorePtr store = name.Below(opened);
      store->set(Key("here", options.rank), std::vector<uint8_t>{1});
      if (options.rank == 0) store->set(kMissing, Bytes(FindMissing(*store, options, name)));
      store->wait({kMissing}, Milliseconds(options.timeout) + kDiagnosis);
      const std::vector<uint8_t> heard = store->get(kMissing);
      missing.assign(heard.begin(), heard.end());
    }
  } catch (const std::exception&) {  // rank 0 is not there
  }
  if (missing == kNobody) return absl::OkStatus();
  if (options.rank == 0) std::this_thread::sleep_for(kDiagnosis);
  return absl::UnavailableError(absl::StrCat(
      "rank ", missing, " of ", options.size, " did not come to ", Place(options), " within ",
      options.timeout, " s; start every rank with the same --dist-url, or raise --dist-timeout"));
}

// The address of this machine that the others reach: the one that leads to rank 0.
absl::StatusOr<std::string> Interface(const GroupOptions& options) {
  if (options.one_machine) return std::string("127.0.0.1");
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  const int error = getaddrinfo(options.host.c_str(), "1", &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(absl::StrCat("the host of ", Place(options), ": ",
                                                   gai_strerror(error), "; mend --dist-url"));
  }
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in own{};
  socklen_t length = sizeof(own);
  const bool routed = connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&  // sends nothing
                      getsockname(fd, reinterpret_cast<sockaddr*>(&own), &length) == 0;
  const int why = errno;
  close(fd);
  freeaddrinfo(found);
  if (!routed) {
    return absl::UnavailableError(absl::StrCat("no way leads from this machine to ", Place(options),
                                               ": ", std::strerror(why), "; mend --dist-url"));
  }
  char text[INET_ADDRSTRLEN];
  return std::string(inet_ntop(AF_INET, &own.sin_addr, text, sizeof(text)));
}

// --- Who is alive ---

// Says on a thread, through a connection of its own, that this process is alive.
class Heart {
 public:
  Heart(StorePtr store, int64_t rank)
      : store_(std::move(store)), thread_([this, key = Key("beat", rank)] { Beat(key); }) {}

  ~Heart() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  void Beat(const std::string& key) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stop_) {
      lock.unlock();
      try {
        store_->add(key, 1);
      } catch (const std::exception&) {  // the run's own operations say it better
        return;
      }
      lock.lock();
      wake_.wait_for(lock, kBeat, [&] { return stop_; });
    }
  }

  const StorePtr store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

// What has ended the run, for all ranks to hear: the word of the one that notices first, because it
// would be taken for lost itself by those that ask after its end.
constexpr char kVerdict[] = "verdict";
constexpr char kHeard[] = "heard";  // by how many

// `ranks`: how many are there to hear it.
void TellAll(c10d::Store& store, int64_t ranks, const std::string& verdict) {
  store.compareSet(kVerdict, {}, Bytes(absl::StrCat(ranks, " ", verdict)));
}

// What has been told; it must have been.
std::pair<int64_t, std::string> Told(c10d::Store& store) {
  const std::vector<uint8_t> value = store.get(kVerdict);
  const std::string text(value.begin(), value.end());
  const size_t space = text.find(' ');
  return {std::strtoll(text.c_str(), nullptr, 10), text.substr(space + 1)};
}

void FindLost(c10d::Store& store, const GroupOptions& options) {
  std::vector<int64_t> beats, silent;
  const auto beat = [&](int64_t rank) { return store.add(Key("beat", rank), 0); };
  for (int64_t rank = 0; rank < options.size; ++rank) beats.push_back(beat(rank));
  std::this_thread::sleep_for(kSilence);
  for (int64_t rank = 0; rank < options.size; ++rank) {
    if (rank != options.rank && beat(rank) == beats[rank]) silent.push_back(rank);
  }
  const std::string verdict =
      silent.empty()
          ? absl::StrCat("all ranks are alive, but one did not come to the others within ",
                         options.timeout, " s; if it needs so long, raise --dist-timeout")
          : absl::StrCat("rank ", absl::StrJoin(silent, ", "), " of ", options.size,
                         " is lost: killed, stopped or cut off");
  TellAll(store, options.size - static_cast<int64_t>(silent.size()), verdict);
}

std::string HearVerdict(c10d::Store& store, const GroupOptions& options) {
  if (!store.check({kVerdict})) FindLost(store, options);
  const std::string verdict = Told(store).second;
  store.add(kHeard, 1);
  return verdict;
}

// --- The communicator ---

// Where rows go when the whole batch is put in another order.
struct Routes {
  std::vector<int64_t> send;        // own rows to send, by the rank that they go to
  std::vector<int64_t> send_count;  // to each rank
  std::vector<int64_t> receive_count;
  std::vector<int64_t> place;  // own row i is the [i]th that arrives
};

Routes FindRoutes(const at::Tensor& order, int64_t rank, int64_t size) {
  const at::Tensor contiguous = order.cpu().contiguous();
  const int64_t* source = contiguous.const_data_ptr<int64_t>();
  const int64_t rows = order.size(0) / size;
  Routes routes;
  routes.place.resize(rows);
  int64_t arrived = 0;
  for (int64_t other = 0; other < size; ++other) {
    int64_t sent = 0, received = 0;
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t to_other = source[i * size + other], to_own = source[i * size + rank];
      if (to_other % size == rank) {
        routes.send.push_back(to_other / size);
        ++sent;
      }
      if (to_own % size == other) {
        routes.place[i] = arrived++;
        ++received;
      }
    }
    routes.send_count.push_back(sent);
    routes.receive_count.push_back(received);
  }
  return routes;
}

// Whether an exception out of a backward pass is about communication. Gloo's own exceptions have no
// header here.
bool IsAboutPeers(const std::exception& e) {
  return dynamic_cast<const c10::DistError*>(&e) != nullptr ||
         std::strstr(typeid(e).name(), "gloo") != nullptr;
}

class Group : public moco::Communicator {
 public:
  Group(const GroupOptions& options, StorePtr store, StorePtr heart_store,
        c10::intrusive_ptr<c10d::ProcessGroup> group)
      : options_(options), store_(std::move(store)), group_(std::move(group)) {
    if (options_.size > 1) heart_ = std::make_unique<Heart>(std::move(heart_store), options_.rank);
  }

  // What is in the middle of an exchange with a lost process may wait for it at its own end.
  ~Group() override {
    if (!failed_) {
      reducer_.reset();
      group_->shutdown();  // NCCL's destructor takes what is not shut down for lost
      return;
    }
    (void)reducer_.release();
    (void)heart_.release();
    (void)group_.release();
    (void)store_.release();
  }

  int64_t rank() const override { return options_.rank; }
  int64_t size() const override { return options_.size; }

  at::Tensor AllGather(const at::Tensor& rows) override {
    if (size() == 1) return rows;
    const at::Tensor own = moco::RowsInMemory(rows.detach()).contiguous();
    // By rank, then dealt out again: row i of the whole is row i / size of rank i mod size.
    const at::Tensor all = at::empty({size(), own.size(0), own.size(1)}, own.options());
    std::vector<std::vector<at::Tensor>> outputs = {all.unbind(0)};
    std::vector<at::Tensor> inputs = {own};
    Try([&] { group_->allgather(outputs, inputs)->wait(); });
    return moco::RowsLike(all.transpose(0, 1).reshape({-1, own.size(1)}), rows);
  }

  at::Tensor Permute(const at::Tensor& rows, const at::Tensor& order) override {
    Routes routes = FindRoutes(order, rank(), size());
    const at::Tensor own = moco::RowsInMemory(rows.detach());
    at::Tensor sent = own.index_select(0, at::tensor(routes.send, at::kLong).to(own.device()));
    at::Tensor received = at::empty_like(own, at::MemoryFormat::Contiguous);
    if (size() == 1) {
      received = sent;
    } else {
      Try([&] {
        group_->alltoall_base(received, sent, routes.receive_count, routes.send_count)->wait();
      });
    }
    return moco::RowsLike(received.index_select(0, at::tensor(routes.place).to(own.device())),
                          rows);
  }

  void Broadcast(const std::vector<at::Tensor>& tensors) override {
    if (size() == 1) return;
    at::NoGradGuard no_grad;
    Try([&] { c10d::broadcast_coalesced(group_, tensors, 250 << 20, 0); });
  }

  void AverageGradientsOf(const std::vector<at::Tensor>& parameters) override {
    if (size() == 1) return;
    Try([&] {
      c10d::verify_params_across_processes(group_, parameters, std::nullopt);
      MakeReducer(parameters);
    });
  }

  void Backward(const at::Tensor& loss) override {
    if (size() == 1) return loss.backward();
    try {
      reducer_->prepare_for_forward();
      reducer_->prepare_for_backward({});
      loss.backward();
      if (!loss.is_cpu()) AwaitDevice(loss.device());
    } catch (const std::exception& e) {
      if (!IsAboutPeers(e)) throw;
      Fail(e);
    }
  }

  bool Leave(const absl::Status& why) override {
    if (size() == 1 || why.ok()) return false;
    const bool told = !failed_ && TellWhy(why);
    if (rank() == 0) AwaitOthers();
    failed_ = true;
    return told;
  }

 private:
  // A device's gradients may be under way still, and the Reducer does not wait for them on the CPU:
  // of a peer that is lost this would hear nothing before it waits for good.
  void AwaitDevice(at::Device device) {
    std::vector<at::Tensor> last = {at::zeros({1}, device)};
    group_->allreduce(last)->wait();
  }

  // The Reducer puts gradients into buckets in the order in which its first pass brings them, and
  // the sum of three numbers depends on where in a bucket they lie. So that a resumed run has the
  // buckets of the run that it resumes, the first pass is one without meaning: the parameters from
  // the last to the first, about as a real one brings them.
  void MakeReducer(const std::vector<at::Tensor>& parameters) {
    auto buckets = std::get<0>(
        c10d::compute_bucket_assignment_by_size(parameters, {std::numeric_limits<size_t>::max()}));
    reducer_ = std::make_unique<c10d::Reducer>(
        parameters, std::move(buckets), group_, std::vector<bool>(parameters.size(), false),
        kBucketBytes, /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/false,
        std::unordered_map<size_t, std::string>(), kFirstBucketBytes,
        /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
        std::vector<int64_t>{kFirstBucketBytes, kBucketBytes});
    reducer_->prepare_for_forward();
    reducer_->prepare_for_backward({});
    for (auto p = parameters.rbegin(); p != parameters.rend(); ++p) p->sum().backward();
    reducer_->rebuild_buckets();
    for (at::Tensor p : parameters) p.mutable_grad().reset();
  }

  template <class Operation>
  void Try(const Operation& operation) {
    try {
      operation();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      Fail(e);
    }
  }

  [[noreturn]] void Fail(const std::exception& e) {
    failed_ = true;
    const std::string verdict =
        Bounded([store = store_, options = options_] { return HearVerdict(*store, options); });
    throw moco::PeerError(absl::StrCat(verdict, " (", Reason(e), ")"));
  }

  // Closes this process's connections, so that the others notice at once, with the reason where
  // they look for it. Returns whether rank 0 has ended for the same.
  bool TellWhy(const absl::Status& why) {
    // A stop is what all ranks have agreed on, whatever else each has to say of it.
    const std::string own = absl::IsCancelled(why) ? "" : std::string(why.message());
    const std::string answer = Bounded([store = store_, rank = rank(), size = size(), why, own] {
      store->set(Key("left", rank), Bytes(absl::StrCat(why.raw_code(), own)));
      TellAll(*store, size, absl::StrCat("rank ", rank, " has ended: ", why.message()));
      store->add(kHeard, 1);
      if (rank == 0) return std::string();
      store->wait({Key("left", 0)}, kDiagnosis);
      const std::vector<uint8_t> first = store->get(Key("left", 0));
      return std::string(first.begin(), first.end());
    });
    reducer_.reset();
    group_.reset();
    return rank() > 0 && answer == absl::StrCat(why.raw_code(), own);
  }

  // The server of the store stays until the others have heard why they are alone.
  void AwaitOthers() {
    const std::string all = "all", some = "some";
    const auto heard = [&] {
      return Bounded(
          [=, store = store_] { return store->add(kHeard, 0) >= Told(*store).first ? all : some; });
    };
    const auto end = std::chrono::steady_clock::now() + kDiagnosis;
    while (std::chrono::steady_clock::now() < end && heard() == some) {
      std::this_thread::sleep_for(kPoll);
    }
  }

  // What `ask` finds out from the store, whose server may be what is lost.
  std::string Bounded(std::function<std::string()> ask) {
    auto answer = std::make_shared<std::promise<std::string>>();
    std::future<std::string> future = answer->get_future();
    const std::string lost = absl::StrCat("rank 0 of ", options_.size, ", which serves the store,",
                                          " is lost: killed, stopped or cut off");
    std::thread([answer, ask = std::move(ask), lost] {
      try {
        answer->set_value(ask());
      } catch (const std::exception&) {
        answer->set_value(lost);
      }
    }).detach();
    if (future.wait_for(kDiagnosis) == std::future_status::ready) return future.get();
    return lost;
  }

  const GroupOptions options_;
  StorePtr store_;
  c10::intrusive_ptr<c10d::ProcessGroup> group_;
  std::unique_ptr<Heart> heart_;
  std::unique_ptr<c10d::Reducer> reducer_;
  bool failed_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<moco::Communicator>> JoinGroup(
    const GroupOptions& options, const std::vector<DeviceBackend>& backends) {
  if (options.rank >= options.size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "rank ", options.rank, " is not below the number of processes, ", options.size));
  }
  // What c10d says of a peer on its own is a stack trace; the statuses here say it.
  setenv("TORCH_CPP_LOG_LEVEL", "FATAL", /*overwrite=*/0);
  c10::initLogging();
  const bool serve = options.rank == 0 && !options.store_is_there && options.store_file.empty();
  auto opened = OpenStore(options, serve);
  if (!opened.ok()) return opened.status();
  NameOfStart name(*opened, options);
  if (absl::Status s = Meet(*opened, options, name); !s.ok()) return s;
  auto of_heart = OpenStore(options, /*serve=*/false);
  if (!of_heart.ok()) return of_heart.status();
  const StorePtr store = name.Below(*opened), heart_store = name.Below(*of_heart);
  auto interface = Interface(options);
  if (!interface.ok()) return interface.status();
  try {
    auto group = c10::make_intrusive<c10d::ProcessGroup>(store, static_cast<int>(options.rank),
                                                         static_cast<int>(options.size));
    for (const DeviceBackend& of : backends) {
      const auto own =
          c10::make_intrusive<c10d::PrefixStore>(c10::DeviceTypeName(of.device), store);
      const auto backend = of.make(own, options, *interface);
      const auto type = c10d::ProcessGroup::strToBackendType(backend->getBackendName());
      if (&of == &backends.front()) group->setDefaultBackend(type);
      group->setBackend(of.device, type, backend);
    }
    return std::make_unique<Group>(options, store, heart_store, std::move(group));
  } catch (const std::exception& e) {
    return absl::UnavailableError(
        absl::StrCat("rank ", options.rank, " cannot connect to the others: ", Reason(e)));
  }
}

}  // namespace dist
