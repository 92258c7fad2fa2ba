#include "dist/ranks.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace dist {
namespace {

constexpr char kReferenceUrl[] =
    "tcp://224.66.41.62:23456";  // a multicast address, where nobody can meet
constexpr char kLoopback[] = "127.0.0.1";
constexpr int kMostRanks = 1 << 20, kMostPorts = 65535;
constexpr char kTasksPerNode[] = "SLURM_STEP_TASKS_PER_NODE";
constexpr int kTorchPort = 29500;  // torchrun's default

bool IsSet(const Env& env, const char* name) {
  const char* value = env(name);
  return value != nullptr && *value != '\0';
}

std::string Value(const Env& env, const char* name) { return IsSet(env, name) ? env(name) : ""; }

absl::Status Read(const Env& env, const char* name, int low, int high, int* number) {
  const std::string text = Value(env, name);
  int read;
  if (!absl::SimpleAtoi(text, &read) || read < low || read > high) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the environment variable ", name, " is '", text, "', must be a whole number from ", low,
        " to ", high, "; correct it, or unset the launcher's variables to run a single process"));
  }
  *number = read;
  return absl::OkStatus();
}

// InvalidArgument when one of `names` is not set.
absl::Status NeedAll(const Env& env, const std::vector<const char*>& names, absl::string_view who) {
  std::vector<const char*> there, missing;
  for (const char* name : names) (IsSet(env, name) ? there : missing).push_back(name);
  if (missing.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "environment variables that ", who, " requires are not set: ", absl::StrJoin(missing, ", "),
      there.empty() ? "" : absl::StrCat("; set are ", absl::StrJoin(there, ", ")),
      "; set all of them, or none for a single process"));
}

// A variable of each of Ranks' first four numbers.
struct Names {
  const char *rank, *size, *local_rank, *local_size;
};

absl::Status ReadRanks(const Env& env, const Names& names, Ranks* ranks) {
  absl::Status s = Read(env, names.size, 1, kMostRanks, &ranks->size);
  s.Update(Read(env, names.rank, 0, ranks->size - 1, &ranks->rank));
  s.Update(Read(env, names.local_size, 1, ranks->size, &ranks->local_size));
  s.Update(Read(env, names.local_rank, 0, ranks->local_size - 1, &ranks->local_rank));
  ranks->one_machine = ranks->local_size == ranks->size;
  return s;
}

// The parts of --dist-url.
struct DistUrl {
  std::string host;  // empty: not given
  int port = 0;      // 0: not given
  std::string file;
};

absl::StatusOr<DistUrl> ParseUrl(const std::string& url) {
  const auto wrong = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("--dist-url=", url, ": ", why,
                     "; give tcp://HOST:PORT with the host of rank 0, file:///PATH, or env://"));
  };
  DistUrl parsed;
  if (url.empty() || url == kReferenceUrl || url == "env://") return parsed;
  absl::string_view rest = url;
  if (absl::ConsumePrefix(&rest, "file://")) {
    if (!absl::StartsWith(rest, "/") || absl::EndsWith(rest, "/")) {
      return wrong("a file requires an absolute path, after three slashes");
    }
    parsed.file = std::string(rest);
    return parsed;
  }
  if (!absl::ConsumePrefix(&rest, "tcp://")) return wrong("unknown scheme");
  const size_t colon = rest.rfind(':');
  if (colon == absl::string_view::npos) return wrong("the port is missing");
  absl::string_view host = rest.substr(0, colon);
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  if (host.empty()) return wrong("the host is missing");
  if (host.find_first_of("/?#[]@ ") != absl::string_view::npos) return wrong("not a host name");
  if (!bracketed && absl::StrContains(host, ":")) {
    return wrong("an address with colons must be in brackets, [::1]");
  }
  parsed.host = std::string(host);
  if (!absl::SimpleAtoi(rest.substr(colon + 1), &parsed.port) || parsed.port < 1 ||
      parsed.port > kMostPorts) {
    return wrong("the port must be a number from 1 to 65535");
  }
  return parsed;
}

bool IsLoopback(absl::string_view host) {
  return host == "localhost" || host == "::1" || absl::StartsWith(host, "127.");
}

// A port that is the same on every rank of a job and most likely another one for another job. Linux
// assigns the ports above these to clients.
int PortOf(absl::string_view job) {
  uint32_t hash = 2166136261;  // FNV-1a
  for (const char c : job) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return 10000 + static_cast<int>(hash % 20000);
}

// Sets where the ranks of mpirun or srun meet. `host`: that of rank 0; empty when it is unknown.
absl::Status SetMeetingPoint(const Env& env, const RankFlags& flags, std::string host, int port,
                             Ranks* ranks) {
  auto url = ParseUrl(flags.dist_url);
  if (!url.ok()) return url.status();
  if (!url->file.empty()) {
    ranks->store_file = url->file;
    return absl::OkStatus();
  }
  ranks->port = url->port > 0 ? url->port : port;
  if (url->port == 0 && IsSet(env, "MASTER_PORT")) {
    if (absl::Status s = Read(env, "MASTER_PORT", 1, kMostPorts, &ranks->port); !s.ok()) return s;
  }
  if (ranks->one_machine) return absl::OkStatus();
  if (IsSet(env, "MASTER_ADDR")) host = Value(env, "MASTER_ADDR");
  if (!url->host.empty()) host = url->host;
  if (host.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(ranks->source,
                     " has started ranks on several machines, but the host of rank 0 is "
                     "unknown; give --dist-url=tcp://HOST:PORT, or set "
                     "MASTER_ADDR to its host (mpirun -x MASTER_ADDR=HOST)"));
  }
  ranks->host = host;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Ranks>> FromTorchrun(const Env& env, const RankFlags& flags) {
  constexpr Names kNames = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"};
  // MASTER_ADDR and MASTER_PORT may be set for mpirun or srun.
  bool any = false;
  for (const char* name : {kNames.rank, kNames.size, kNames.local_rank, kNames.local_size}) {
    any |= IsSet(env, name);
  }
  if (!any) return std::nullopt;
  absl::Status s = NeedAll(env,
                           {kNames.rank, kNames.size, kNames.local_rank, kNames.local_size,
                            "MASTER_ADDR", "MASTER_PORT"},
                           "torchrun");
  if (!s.ok()) return s;
  Ranks ranks;
  const bool launched = IsSet(env, "MOCOPP_RUN_DIR");
  ranks.source = launched ? "the launcher" : "torchrun";
  s.Update(ReadRanks(env, kNames, &ranks));
  s.Update(Read(env, "MASTER_PORT", 1, kMostPorts, &ranks.port));
  ranks.host = Value(env, "MASTER_ADDR");
  if (IsSet(env, "TORCHELASTIC_RESTART_COUNT")) {
    s.Update(Read(env, "TORCHELASTIC_RESTART_COUNT", 0, kMostRanks, &ranks.restarts));
  }
  if (ranks.rank == 0 && IsSet(env, "MOCOPP_STORE_FD")) {
    s.Update(Read(env, "MOCOPP_STORE_FD", 0, kMostRanks, &ranks.store_fd));
  }
  ranks.store_is_there = Value(env, "TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (s.ok() && flags.nproc > 0 && !launched) {
    s = absl::InvalidArgumentError(
        absl::StrCat("--nproc=", flags.nproc,
                     " starts processes, but torchrun has started this one; leave --nproc out, or "
                     "start without torchrun"));
  }
  if (!s.ok()) return s;
  return ranks;
}

absl::StatusOr<std::optional<Ranks>> FromMpirun(const Env& env, const RankFlags& flags) {
  constexpr Names kOpenMpi = {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                              "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"};
  constexpr Names kMpich = {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"};
  const Names* names = nullptr;
  if (IsSet(env, kOpenMpi.rank)) {
    names = &kOpenMpi;
  } else if (IsSet(env, kMpich.rank) &&
             (IsSet(env, kMpich.local_size) || !IsSet(env, "SLURM_STEP_ID"))) {
    names = &kMpich;  // srun sets PMI_RANK too, but not the local ones
  }
  if (names == nullptr) return std::nullopt;
  absl::Status s =
      NeedAll(env, {names->rank, names->size, names->local_rank, names->local_size}, "mpirun");
  if (!s.ok()) return s;
  Ranks ranks;
  ranks.source = "mpirun";
  s.Update(ReadRanks(env, *names, &ranks));
  // MPICH gives the ranks no common name of the job.
  const std::string job = Value(env, "PMIX_NAMESPACE");
  if (s.ok() && ranks.size > 1) {
    s = SetMeetingPoint(env, flags, /*host=*/"", job.empty() ? kTorchPort : PortOf(job), &ranks);
  }
  if (!s.ok()) return s;
  return ranks;
}

// The first of Slurm's list of hosts: node01 of "node[01-03,7],a". Empty when there is none.
std::string FirstHost(absl::string_view list) {
  std::string host;
  while (!list.empty() && list[0] != ',') {
    if (!absl::ConsumePrefix(&list, "[")) {
      host += list[0];
      list.remove_prefix(1);
      continue;
    }
    const size_t end = list.find(']');
    if (end == absl::string_view::npos) return "";
    host += std::string(list.substr(0, list.find_first_of("-,]")));
    list.remove_prefix(end + 1);
  }
  return host;
}

// The `node`th of Slurm's list of numbers: of "2(x3),1" nodes 0 to 2 have 2 and node 3 has 1.
// Nothing when there is none.
std::optional<int> TasksOfNode(absl::string_view list, int node) {
  for (absl::string_view part : absl::StrSplit(list, ',')) {
    const std::vector<absl::string_view> words = absl::StrSplit(part, absl::ByAnyChar("(x)"));
    int tasks, nodes = 1;  // "2(x3)" is "2", "", "3", ""
    if (!absl::SimpleAtoi(words[0], &tasks)) return std::nullopt;
    if (words.size() > 1 && (words.size() != 4 || !absl::SimpleAtoi(words[2], &nodes))) {
      return std::nullopt;
    }
    if (node < nodes) return tasks;
    node -= nodes;
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<Ranks>> FromSrun(const Env& env, const RankFlags& flags) {
  constexpr char kNodes[] = "SLURM_STEP_NODELIST";
  if (!IsSet(env, "SLURM_PROCID") || !IsSet(env, "SLURM_NTASKS") || !IsSet(env, "SLURM_STEP_ID")) {
    return std::nullopt;
  }
  Ranks ranks;
  ranks.source = "srun";
  absl::Status s = Read(env, "SLURM_NTASKS", 1, kMostRanks, &ranks.size);
  if (!s.ok()) return s;
  if (ranks.size == 1) return ranks;
  s = NeedAll(env, {"SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", kTasksPerNode, "SLURM_JOB_ID"},
              "srun");
  if (!s.ok()) return s;
  int node = 0;
  s.Update(Read(env, "SLURM_PROCID", 0, ranks.size - 1, &ranks.rank));
  s.Update(Read(env, "SLURM_NODEID", 0, kMostRanks, &node));
  if (!s.ok()) return s;
  const std::optional<int> local_size = TasksOfNode(Value(env, kTasksPerNode), node);
  if (!local_size || *local_size < 1 || *local_size > ranks.size) {
    return absl::InvalidArgumentError(
        absl::StrCat("the environment variable ", kTasksPerNode, " is '", Value(env, kTasksPerNode),
                     "' and does not give the number of tasks on node ", node, " of ", ranks.size,
                     " in all; srun sets it: do not change it"));
  }
  ranks.local_size = *local_size;
  ranks.one_machine = ranks.local_size == ranks.size;
  s = Read(env, "SLURM_LOCALID", 0, ranks.local_size - 1, &ranks.local_rank);
  if (!s.ok()) return s;
  const std::string nodes = Value(env, IsSet(env, kNodes) ? kNodes : "SLURM_JOB_NODELIST");
  const std::string job = absl::StrCat(Value(env, "SLURM_JOB_ID"), ".", env("SLURM_STEP_ID"));
  if (s = SetMeetingPoint(env, flags, FirstHost(nodes), PortOf(job), &ranks); !s.ok()) return s;
  return ranks;
}

absl::Status CheckFlags(const RankFlags& flags) {
  if (flags.world_size != -1 && (flags.world_size < 1 || flags.world_size > kMostRanks)) {
    return absl::InvalidArgumentError(absl::StrCat("--world-size is ", flags.world_size,
                                                   ", must be from 1 to ", kMostRanks,
                                                   "; leave it out for one"));
  }
  if (flags.nproc < 0 || flags.nproc > kMostRanks) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--nproc is ", flags.nproc, ", must be from 1 to ", kMostRanks, "; leave it out for one"));
  }
  const int64_t size = std::max<int64_t>(flags.world_size, 1);
  if (flags.rank < -1 || flags.rank >= size || (size > 1 && flags.rank == -1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--rank is ", flags.rank, " of --world-size=", flags.world_size,
                     ", must be from 0 to ", size - 1, " and different on each"));
  }
  return absl::OkStatus();
}

// How many processes the flags ask this machine to start; 0 when they do not.
int64_t ToStart(const RankFlags& flags) {
  if (flags.nproc > 0) return flags.nproc;
  return flags.multiprocessing_distributed && flags.devices > 1 ? flags.devices : 0;
}

absl::StatusOr<Found> MakePlan(int64_t nproc, int64_t machine, int64_t machines,
                               const std::string& host, int port) {
  if (nproc > kMostRanks / machines) {
    return absl::InvalidArgumentError(absl::StrCat(machines, " machines of ", nproc,
                                                   " processes exceed the maximum of ", kMostRanks,
                                                   " ranks; start fewer"));
  }
  LaunchPlan plan;
  plan.nproc = nproc;
  plan.first_rank = machine * nproc;
  plan.size = machines * nproc;
  plan.host = host;
  plan.port = port;
  return plan;
}

absl::Status FileUrlRefused(const RankFlags& flags) {
  return absl::InvalidArgumentError(
      absl::StrCat("--dist-url=", flags.dist_url,
                   " is only for processes that are started one by one; leave it out, or give "
                   "tcp://HOST:PORT with several machines"));
}

absl::StatusOr<Found> FromFlags(const Env& env, const RankFlags& flags) {
  if (absl::Status s = CheckFlags(flags); !s.ok()) return s;
  // Machines that have one device each are as many processes.
  const int64_t others = std::max<int64_t>(flags.world_size, 1), nproc = ToStart(flags);
  if (others == 1 && nproc == 0) return Ranks();
  auto url = ParseUrl(flags.dist_url);
  if (!url.ok()) return url.status();
  if (flags.dist_url == "env://") {
    if (absl::Status s = NeedAll(env, {"MASTER_ADDR", "MASTER_PORT"}, "--dist-url=env://");
        !s.ok()) {
      return s;
    }
    url->host = Value(env, "MASTER_ADDR");
    if (absl::Status s = Read(env, "MASTER_PORT", 1, kMostPorts, &url->port); !s.ok()) return s;
  }
  if (others > 1 && url->host.empty() && (nproc > 0 || url->file.empty())) {
    return absl::InvalidArgumentError(absl::StrCat("--world-size is ", others,
                                                   " but the processes do not know where to meet; "
                                                   "give --dist-url=tcp://HOST:PORT with the host "
                                                   "of rank 0 and a free port there"));
  }
  if (nproc > 0) {
    if (!url->file.empty()) return FileUrlRefused(flags);
    const std::string host = others == 1 ? kLoopback : url->host;
    return MakePlan(nproc, std::max<int64_t>(flags.rank, 0), others, host, url->port);
  }
  Ranks ranks;
  ranks.rank = flags.rank;
  ranks.size = others;
  ranks.host = url->host;
  ranks.port = url->port;
  ranks.store_file = url->file;
  ranks.one_machine = IsLoopback(url->host);  // a file may be on several machines
  if (ranks.one_machine) {
    ranks.host = kLoopback;
    ranks.local_rank = ranks.rank;
    ranks.local_size = ranks.size;
  }
  return ranks;
}

// What to do with the ranks of mpirun or srun when the flags ask for processes, too. All ranks must
// decide alike. mpirun does not say how many ranks other machines have.
absl::StatusOr<Found> WithFlags(const Env& env, const Ranks& ranks, const RankFlags& flags) {
  const int64_t nproc = ToStart(flags);
  const bool one_each =
      ranks.local_size == 1 && (ranks.source == "mpirun" ||
                                Value(env, kTasksPerNode) == absl::StrCat("1(x", ranks.size, ")"));
  if (!one_each && flags.nproc > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--nproc=", nproc, " starts processes on this machine, but ", ranks.source,
                     " has started ", ranks.size,
                     ", not one on each machine; leave --nproc out, or "
                     "have ",
                     ranks.source, " start one on each"));
  }
  if (!one_each || nproc == 0) return ranks;
  if (!ranks.store_file.empty()) return FileUrlRefused(flags);
  return MakePlan(nproc, ranks.rank, ranks.size, ranks.host, ranks.port);
}

}  // namespace

absl::StatusOr<Found> FindRanks(const Env& env, const RankFlags& flags) {
  const auto torchrun = FromTorchrun(env, flags);
  if (!torchrun.ok()) return torchrun.status();
  if (*torchrun) return **torchrun;
  for (const auto find : {FromMpirun, FromSrun}) {
    const auto ranks = find(env, flags);
    if (!ranks.ok()) return ranks.status();
    if (*ranks && (*ranks)->size > 1) return WithFlags(env, **ranks, flags);
  }
  return FromFlags(env, flags);
}

}  // namespace dist
