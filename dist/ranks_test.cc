#include "dist/ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace dist {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Variables = std::map<std::string, std::string>;

absl::StatusOr<Found> Find(const Variables& variables, const RankFlags& flags = {}) {
  return FindRanks(
      [&](const char* name) {
        const auto at = variables.find(name);
        return at == variables.end() ? nullptr : at->second.c_str();
      },
      flags);
}

// A different rank is a fault of the test, which stops it.
Ranks FindOne(const Variables& variables, const RankFlags& flags = {}) {
  const auto found = Find(variables, flags);
  EXPECT_TRUE(found.ok()) << found.status();
  return std::get<Ranks>(found.value());
}

LaunchPlan FindPlan(const Variables& variables, const RankFlags& flags) {
  const auto found = Find(variables, flags);
  EXPECT_TRUE(found.ok()) << found.status();
  return std::get<LaunchPlan>(found.value());
}

std::string Error(const Variables& variables, const RankFlags& flags = {}) {
  const auto found = Find(variables, flags);
  EXPECT_TRUE(absl::IsInvalidArgument(found.status())) << found.status();
  return std::string(found.status().message());
}

Variables With(Variables variables, const Variables& more) {
  for (const auto& [name, value] : more) variables[name] = value;
  return variables;
}

Variables Without(Variables variables, const std::string& name) {
  variables.erase(name);
  return variables;
}

RankFlags Processes(int world_size, int rank, const std::string& url) {
  RankFlags flags;
  flags.world_size = world_size;
  flags.rank = rank;
  flags.dist_url = url;
  return flags;
}

RankFlags Machines(int world_size, int rank, const std::string& url, int devices) {
  RankFlags flags = Processes(world_size, rank, url);
  flags.multiprocessing_distributed = true;
  flags.devices = devices;
  return flags;
}

RankFlags Nproc(int nproc) {
  RankFlags flags;
  flags.nproc = nproc;
  return flags;
}

constexpr char kDefaultUrl[] = "tcp://224.66.41.62:23456";

const Variables& Torchrun() {
  static const auto& variables = *new Variables{{"RANK", "5"},        {"WORLD_SIZE", "8"},
                                                {"LOCAL_RANK", "1"},  {"LOCAL_WORLD_SIZE", "4"},
                                                {"MASTER_ADDR", "a"}, {"MASTER_PORT", "29500"}};
  return variables;
}

const Variables& OpenMpi() {
  static const auto& variables = *new Variables{{"OMPI_COMM_WORLD_RANK", "1"},
                                                {"OMPI_COMM_WORLD_SIZE", "2"},
                                                {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                                                {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                                                {"PMIX_NAMESPACE", "956301313"}};
  return variables;
}

const Variables& Mpich() {
  static const auto& variables = *new Variables{
      {"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}};
  return variables;
}

// Task 5 of 7, on the third of four nodes.
const Variables& Srun() {
  static const auto& variables = *new Variables{{"SLURM_PROCID", "5"},
                                                {"SLURM_NTASKS", "7"},
                                                {"SLURM_STEP_ID", "0"},
                                                {"SLURM_JOB_ID", "1234"},
                                                {"SLURM_LOCALID", "1"},
                                                {"SLURM_NODEID", "2"},
                                                {"SLURM_STEP_TASKS_PER_NODE", "2(x3),1"},
                                                {"SLURM_STEP_NODELIST", "node[01-03,7]"}};
  return variables;
}

// As far as one node with two tasks differs.
const Variables& SrunOnOne() {
  static const auto& variables = *new Variables(With(Srun(), {{"SLURM_PROCID", "1"},
                                                              {"SLURM_NTASKS", "2"},
                                                              {"SLURM_NODEID", "0"},
                                                              {"SLURM_STEP_TASKS_PER_NODE", "2"},
                                                              {"SLURM_STEP_NODELIST", "vm"}}));
  return variables;
}

TEST(RanksTest, NothingIsOneProcess) {
  const Ranks ranks = FindOne({});
  EXPECT_EQ(ranks.rank, 0);
  EXPECT_EQ(ranks.size, 1);
  EXPECT_TRUE(ranks.one_machine);
  EXPECT_EQ(ranks.source, "the command line");
  EXPECT_EQ(FindOne({{"MASTER_ADDR", "a"}, {"MASTER_PORT", "1"}}).size, 1);
  EXPECT_EQ(FindOne({{"RANK", ""}}).size, 1);  // empty is not set
}

TEST(RanksTest, Torchrun) {
  const Ranks ranks = FindOne(With(
      Torchrun(), {{"TORCHELASTIC_USE_AGENT_STORE", "True"}, {"TORCHELASTIC_RESTART_COUNT", "3"}}));
  EXPECT_EQ(ranks.rank, 5);
  EXPECT_EQ(ranks.size, 8);
  EXPECT_EQ(ranks.local_rank, 1);
  EXPECT_EQ(ranks.local_size, 4);
  EXPECT_EQ(ranks.host, "a");
  EXPECT_EQ(ranks.port, 29500);
  EXPECT_TRUE(ranks.store_is_there);
  EXPECT_FALSE(ranks.one_machine);
  EXPECT_EQ(ranks.restarts, 3);
  EXPECT_EQ(ranks.source, "torchrun");
  EXPECT_FALSE(FindOne(Torchrun()).store_is_there);
  EXPECT_FALSE(
      FindOne(With(Torchrun(), {{"TORCHELASTIC_USE_AGENT_STORE", "False"}})).store_is_there);
  EXPECT_TRUE(FindOne(With(Torchrun(), {{"LOCAL_WORLD_SIZE", "8"}})).one_machine);
  EXPECT_EQ(FindOne(With(Torchrun(), {{"RANK", "0"},
                                      {"WORLD_SIZE", "1"},
                                      {"LOCAL_RANK", "0"},
                                      {"LOCAL_WORLD_SIZE", "1"}}))
                .source,
            "torchrun");
}

TEST(RanksTest, TorchrunsVariablesAreAllThere) {
  for (const auto& [name, value] : Torchrun()) {
    EXPECT_THAT(Error(Without(Torchrun(), name)),
                AllOf(HasSubstr("not set: " + name), HasSubstr("or none")));
  }
  EXPECT_THAT(Error({{"WORLD_SIZE", "2"}}),
              HasSubstr("RANK, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT"));
}

TEST(RanksTest, TorchrunsVariablesAreRight) {
  for (const auto& [name, wrong, range] :
       std::vector<std::array<std::string, 3>>{{"RANK", "8", "0 to 7"},
                                               {"RANK", "-1", "0 to 7"},
                                               {"RANK", "one", "0 to 7"},
                                               {"WORLD_SIZE", "0", "1 to 1048576"},
                                               {"WORLD_SIZE", "8.0", "1 to 1048576"},
                                               {"LOCAL_RANK", "4", "0 to 3"},
                                               {"LOCAL_WORLD_SIZE", "9", "1 to 8"},
                                               {"MASTER_PORT", "0", "1 to 65535"},
                                               {"MASTER_PORT", "70000", "1 to 65535"},
                                               {"TORCHELASTIC_RESTART_COUNT", "x", "0 to"}}) {
    EXPECT_THAT(Error(With(Torchrun(), {{name, wrong}})),
                AllOf(HasSubstr(name + " is '" + wrong + "'"), HasSubstr(range)));
  }
}

TEST(RanksTest, TorchrunComesBeforeAllOthers) {
  const Variables all = With(With(With(Torchrun(), OpenMpi()), Mpich()), Srun());
  EXPECT_EQ(FindOne(all, Machines(2, 0, "tcp://b:1", 8)).source, "torchrun");
  EXPECT_THAT(Error(Torchrun(), Nproc(2)), HasSubstr("torchrun has started this one"));
}

TEST(RanksTest, TheLauncherIsAsTorchrun) {
  const Variables launched = With(Torchrun(), {{"MOCOPP_RUN_DIR", "/runs/a"}});
  Ranks ranks = FindOne(With(launched, {{"MOCOPP_STORE_FD", "7"}, {"RANK", "0"}}), Nproc(4));
  EXPECT_EQ(ranks.source, "the launcher");
  EXPECT_EQ(ranks.store_fd, 7);
  ranks = FindOne(launched);
  EXPECT_EQ(ranks.store_fd, -1);
  EXPECT_THAT(Error(With(launched, {{"MOCOPP_STORE_FD", "x"}, {"RANK", "0"}})),
              HasSubstr("MOCOPP_STORE_FD is 'x'"));
}

TEST(RanksTest, Srun) {
  const Ranks ranks = FindOne(Srun());
  EXPECT_EQ(ranks.rank, 5);
  EXPECT_EQ(ranks.size, 7);
  EXPECT_EQ(ranks.local_rank, 1);
  EXPECT_EQ(ranks.local_size, 2);
  EXPECT_EQ(ranks.host, "node01");
  EXPECT_FALSE(ranks.one_machine);
  EXPECT_EQ(ranks.source, "srun");
  EXPECT_EQ(
      FindOne(With(Srun(), {{"SLURM_PROCID", "6"}, {"SLURM_NODEID", "3"}, {"SLURM_LOCALID", "0"}}))
          .local_size,
      1);
}

TEST(RanksTest, SrunsPortIsAFunctionOfJobAndStep) {
  const int port = FindOne(Srun()).port;
  EXPECT_GE(port, 10000);
  EXPECT_LT(port, 30000);
  EXPECT_EQ(FindOne(With(Srun(), {{"SLURM_PROCID", "0"}, {"SLURM_NODEID", "0"}})).port, port);
  EXPECT_NE(FindOne(With(Srun(), {{"SLURM_JOB_ID", "1235"}})).port, port);
  EXPECT_NE(FindOne(With(Srun(), {{"SLURM_STEP_ID", "1"}})).port, port);
}

TEST(RanksTest, SrunsFirstHost) {
  for (const auto& [list, first] : Variables{{"a", "a"},
                                             {"a,b", "a"},
                                             {"a,node[1-2]", "a"},
                                             {"node[01-03,7],a", "node01"},
                                             {"node[7,9]", "node7"},
                                             {"node[3]-ib,b", "node3-ib"},
                                             {"rack[2-3]n[05-06],b", "rack2n05"}}) {
    EXPECT_EQ(FindOne(With(Srun(), {{"SLURM_STEP_NODELIST", list}})).host, first) << list;
  }
  EXPECT_EQ(
      FindOne(With(Without(Srun(), "SLURM_STEP_NODELIST"), {{"SLURM_JOB_NODELIST", "b"}})).host,
      "b");
  EXPECT_THAT(Error(With(Srun(), {{"SLURM_STEP_NODELIST", "node[01-03"}})),
              HasSubstr("host of rank 0"));
}

TEST(RanksTest, SrunsPlaceCanBeGiven) {
  Ranks ranks = FindOne(With(Srun(), {{"MASTER_ADDR", "b"}, {"MASTER_PORT", "77"}}));
  EXPECT_EQ(ranks.host, "b");
  EXPECT_EQ(ranks.port, 77);
  RankFlags flags;
  flags.dist_url = "tcp://c:78";
  ranks = FindOne(With(Srun(), {{"MASTER_ADDR", "b"}, {"MASTER_PORT", "77"}}), flags);
  EXPECT_EQ(ranks.host, "c");
  EXPECT_EQ(ranks.port, 78);
  flags.dist_url = "file:///shared/store";
  EXPECT_EQ(FindOne(Srun(), flags).store_file, "/shared/store");
  flags.dist_url = kDefaultUrl;
  EXPECT_EQ(FindOne(Srun(), flags).host, "node01");
}

TEST(RanksTest, SrunOnOneMachineStaysThere) {
  const Ranks ranks = FindOne(With(SrunOnOne(), {{"MASTER_ADDR", "b"}}));
  EXPECT_TRUE(ranks.one_machine);
  EXPECT_EQ(ranks.host, "127.0.0.1");
  EXPECT_EQ(ranks.local_size, 2);
  RankFlags flags;
  flags.dist_url = "tcp://b:78";
  EXPECT_EQ(FindOne(SrunOnOne(), flags).host, "127.0.0.1");
  EXPECT_EQ(FindOne(SrunOnOne(), flags).port, 78);
}

TEST(RanksTest, AJobsScriptIsNoStep) {
  EXPECT_EQ(FindOne({{"SLURM_PROCID", "0"}, {"SLURM_JOB_ID", "1"}}).size, 1);
  EXPECT_EQ(FindOne(Without(Srun(), "SLURM_STEP_ID")).size, 1);
  EXPECT_EQ(FindOne(Without(Srun(), "SLURM_NTASKS")).size, 1);
}

TEST(RanksTest, SrunsVariablesAreRight) {
  for (const char* name :
       {"SLURM_LOCALID", "SLURM_NODEID", "SLURM_STEP_TASKS_PER_NODE", "SLURM_JOB_ID"}) {
    EXPECT_THAT(Error(Without(Srun(), name)), HasSubstr(std::string("not set: ") + name));
  }
  for (const auto& [name, wrong] :
       std::vector<std::pair<std::string, std::string>>{{"SLURM_PROCID", "7"},
                                                        {"SLURM_NTASKS", "x"},
                                                        {"SLURM_LOCALID", "2"},
                                                        {"SLURM_NODEID", "x"},
                                                        {"SLURM_STEP_TASKS_PER_NODE", "2(x2)"},
                                                        {"SLURM_STEP_TASKS_PER_NODE", "2(y"},
                                                        {"SLURM_STEP_TASKS_PER_NODE", "8(x4)"}}) {
    EXPECT_THAT(Error(With(Srun(), {{name, wrong}})), HasSubstr(name + " is '" + wrong + "'"));
  }
}

TEST(RanksTest, Mpirun) {
  for (const Variables& variables : {OpenMpi(), Mpich()}) {
    const Ranks ranks = FindOne(variables);
    EXPECT_EQ(ranks.rank, 1);
    EXPECT_EQ(ranks.size, 2);
    EXPECT_EQ(ranks.local_rank, 1);
    EXPECT_EQ(ranks.local_size, 2);
    EXPECT_EQ(ranks.host, "127.0.0.1");
    EXPECT_TRUE(ranks.one_machine);
    EXPECT_EQ(ranks.source, "mpirun");
  }
  EXPECT_EQ(FindOne(Mpich()).port, 29500);
  EXPECT_EQ(FindOne(With(Mpich(), {{"MASTER_PORT", "77"}})).port, 77);
  const int port = FindOne(OpenMpi()).port;
  EXPECT_EQ(FindOne(With(OpenMpi(), {{"OMPI_COMM_WORLD_RANK", "0"}})).port, port);
  EXPECT_NE(FindOne(With(OpenMpi(), {{"PMIX_NAMESPACE", "prterun-vm-17@1"}})).port, port);
}

TEST(RanksTest, MpirunOnSeveralMachinesNeedsAHost) {
  const Variables mpi = With(OpenMpi(), {{"OMPI_COMM_WORLD_SIZE", "4"}});
  EXPECT_THAT(Error(mpi), AllOf(HasSubstr("--dist-url=tcp://HOST:PORT"),
                                HasSubstr("mpirun -x MASTER_ADDR=HOST")));
  const Ranks ranks = FindOne(With(mpi, {{"MASTER_ADDR", "a"}}));
  EXPECT_FALSE(ranks.one_machine);
  EXPECT_EQ(ranks.host, "a");
  EXPECT_EQ(ranks.port, FindOne(OpenMpi()).port);
  RankFlags flags;
  flags.dist_url = "tcp://[fd00::2]:78";
  EXPECT_EQ(FindOne(mpi, flags).host, "fd00::2");
  EXPECT_EQ(FindOne(mpi, flags).port, 78);
}

TEST(RanksTest, MpirunsVariablesAreAllThere) {
  for (const Variables& variables : {OpenMpi(), Mpich()}) {
    for (const auto& [name, value] : variables) {
      if (name == "OMPI_COMM_WORLD_RANK" || name == "PMI_RANK" || name == "PMIX_NAMESPACE")
        continue;
      EXPECT_THAT(Error(Without(variables, name)),
                  AllOf(HasSubstr("mpirun"), HasSubstr("not set: " + name)));
    }
  }
  EXPECT_THAT(Error(With(OpenMpi(), {{"OMPI_COMM_WORLD_RANK", "2"}})),
              HasSubstr("OMPI_COMM_WORLD_RANK is '2', must be a whole number from 0 to 1"));
}

// In a job mpirun's daemons are an srun step of one task a node, and the ranks inherit its
// variables.
TEST(RanksTest, MpirunInAJobIsMpirun) {
  EXPECT_EQ(FindOne(With(Srun(), OpenMpi())).source, "mpirun");
  EXPECT_EQ(FindOne(With(Srun(), Mpich())).source, "mpirun");
  // srun --mpi=pmi2.
  EXPECT_EQ(FindOne(With(Srun(), {{"PMI_RANK", "5"}, {"PMI_SIZE", "7"}})).source, "srun");
}

TEST(RanksTest, OneTaskForAllLeavesTheWordToTheFlags) {
  const Variables one = With(SrunOnOne(), {{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}});
  EXPECT_EQ(FindOne(one).source, "the command line");
  EXPECT_EQ(FindPlan(one, Machines(1, 0, "tcp://localhost:10004", 8)).nproc, 8);
  EXPECT_EQ(FindPlan({{"OMPI_COMM_WORLD_RANK", "0"},
                      {"OMPI_COMM_WORLD_SIZE", "1"},
                      {"OMPI_COMM_WORLD_LOCAL_RANK", "0"},
                      {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"}},
                     Nproc(2))
                .nproc,
            2);
}

TEST(RanksTest, OneTaskAMachineStartsTheOthers) {
  const Variables machines = With(Srun(), {{"SLURM_PROCID", "2"},
                                           {"SLURM_NTASKS", "4"},
                                           {"SLURM_LOCALID", "0"},
                                           {"SLURM_STEP_TASKS_PER_NODE", "1(x4)"}});
  EXPECT_EQ(FindOne(machines).rank, 2);
  EXPECT_EQ(FindOne(machines, Machines(1, 0, "", 1)).rank, 2);
  for (const RankFlags& flags : {Machines(4, 2, kDefaultUrl, 8), Nproc(8)}) {
    const LaunchPlan start = FindPlan(machines, flags);
    EXPECT_EQ(start.nproc, 8);
    EXPECT_EQ(start.first_rank, 16);
    EXPECT_EQ(start.size, 32);
    EXPECT_EQ(start.host, "node01");
    EXPECT_EQ(start.port, FindOne(machines).port);
  }
  EXPECT_THAT(Error(machines, Machines(4, 2, "file:///shared/store", 8)),
              HasSubstr("started one by one"));
  EXPECT_THAT(Error(Srun(), Nproc(8)), HasSubstr("srun has started 7, not one on each machine"));
  EXPECT_EQ(FindOne(Srun(), Machines(1, 0, "", 8)).rank, 5);
  // The fourth machine has one task, but the others have two.
  const Variables alone =
      With(Srun(), {{"SLURM_PROCID", "6"}, {"SLURM_NODEID", "3"}, {"SLURM_LOCALID", "0"}});
  EXPECT_EQ(FindOne(alone, Machines(1, 0, "", 8)).rank, 6);
  EXPECT_THAT(Error(alone, Nproc(8)), HasSubstr("not one on each machine"));
  EXPECT_EQ(FindPlan(With(OpenMpi(), {{"OMPI_COMM_WORLD_LOCAL_SIZE", "1"},
                                      {"OMPI_COMM_WORLD_LOCAL_RANK", "0"},
                                      {"MASTER_ADDR", "a"}}),
                     Nproc(8))
                .first_rank,
            8);
}

TEST(RanksTest, FlagsOfProcesses) {
  Ranks ranks = FindOne({}, Processes(4, 3, "tcp://a:23456"));
  EXPECT_EQ(ranks.rank, 3);
  EXPECT_EQ(ranks.size, 4);
  EXPECT_EQ(ranks.host, "a");
  EXPECT_EQ(ranks.port, 23456);
  EXPECT_FALSE(ranks.one_machine);
  EXPECT_EQ(ranks.source, "the command line");
  for (const char* url : {"tcp://localhost:1", "tcp://127.0.1.1:1", "tcp://[::1]:1"}) {
    ranks = FindOne({}, Processes(4, 3, url));
    EXPECT_TRUE(ranks.one_machine) << url;
    EXPECT_EQ(ranks.host, "127.0.0.1");
    EXPECT_EQ(ranks.local_rank, 3);
    EXPECT_EQ(ranks.local_size, 4);
  }
  ranks = FindOne({}, Processes(4, 3, "file:///tmp/store"));
  EXPECT_EQ(ranks.store_file, "/tmp/store");
  EXPECT_FALSE(ranks.one_machine);
  ranks = FindOne({{"MASTER_ADDR", "b"}, {"MASTER_PORT", "5"}}, Processes(4, 3, "env://"));
  EXPECT_EQ(ranks.host, "b");
  EXPECT_EQ(ranks.port, 5);
  EXPECT_EQ(FindOne({}, Processes(1, 0, "tcp://a:23456")).size, 1);
}

TEST(RanksTest, FlagsOfMachines) {
  // A CPU is one device.
  EXPECT_EQ(FindOne({}, Machines(1, 0, "tcp://localhost:10004", 0)).size, 1);
  EXPECT_EQ(FindOne({}, Machines(2, 1, "tcp://a:10004", 0)).rank, 1);
  EXPECT_EQ(FindOne({}, Machines(2, 1, "tcp://a:10004", 1)).size, 2);

  LaunchPlan start = FindPlan({}, Machines(1, 0, "tcp://a:10004", 8));
  EXPECT_EQ(start.nproc, 8);
  EXPECT_EQ(start.first_rank, 0);
  EXPECT_EQ(start.size, 8);
  EXPECT_EQ(start.host, "127.0.0.1");
  EXPECT_EQ(start.port, 10004);
  EXPECT_EQ(FindPlan({}, Machines(-1, -1, kDefaultUrl, 8)).port, 0);

  RankFlags flags = Machines(2, 1, "tcp://a:10004", 8);
  start = FindPlan({}, flags);
  EXPECT_EQ(start.first_rank, 8);
  EXPECT_EQ(start.size, 16);
  EXPECT_EQ(start.host, "a");
  EXPECT_EQ(start.port, 10004);
  flags.nproc = 3;
  EXPECT_EQ(FindPlan({}, flags).size, 6);
  flags.multiprocessing_distributed = false;
  EXPECT_EQ(FindPlan({}, flags).first_rank, 3);

  start = FindPlan({}, Nproc(1));
  EXPECT_EQ(start.nproc, 1);
  EXPECT_EQ(start.port, 0);
}

TEST(RanksTest, FlagsAreRight) {
  EXPECT_THAT(Error({}, Processes(0, 0, "")), HasSubstr("--world-size is 0"));
  EXPECT_THAT(Error({}, Processes(-2, 0, "")), HasSubstr("--world-size is -2"));
  EXPECT_THAT(Error({}, Processes(2, 2, "")), HasSubstr("--rank is 2 of --world-size=2"));
  EXPECT_THAT(Error({}, Processes(2, -1, "")), HasSubstr("must be from 0 to 1"));
  EXPECT_THAT(Error({}, Processes(-1, 1, "")), HasSubstr("must be from 0 to 0"));
  EXPECT_THAT(Error({}, Nproc(-1)), HasSubstr("--nproc is -1"));
  for (const char* url : {"", kDefaultUrl}) {
    EXPECT_THAT(Error({}, Processes(2, 1, url)), HasSubstr("give --dist-url=tcp://HOST:PORT"));
    EXPECT_THAT(Error({}, Machines(2, 1, url, 8)), HasSubstr("give --dist-url=tcp://HOST:PORT"));
  }
  EXPECT_THAT(Error({{"MASTER_ADDR", "a"}}, Processes(2, 1, "env://")),
              AllOf(HasSubstr("env://"), HasSubstr("not set: MASTER_PORT; set are MASTER_ADDR")));
  EXPECT_THAT(Error({}, Processes(2, 1, "env://")), HasSubstr("MASTER_ADDR, MASTER_PORT; set"));
  EXPECT_THAT(Error({}, Machines(1, 0, "file:///tmp/store", 2)), HasSubstr("one by one"));
  EXPECT_THAT(Error({}, Machines(1 << 20, 0, "tcp://a:1", 2)), HasSubstr("start fewer"));
}

TEST(RanksTest, UrlsAreRight) {
  for (const auto& [url, why] : Variables{{"a:1", "scheme"},
                                          {"udp://a:1", "scheme"},
                                          {"tcp://a", "port is missing"},
                                          {"tcp://:1", "host is missing"},
                                          {"tcp://a:", "port must be"},
                                          {"tcp://a:0", "port must be"},
                                          {"tcp://a:65536", "port must be"},
                                          {"tcp://a:1x", "port must be"},
                                          {"tcp://a:1?rank=0", "port must be"},
                                          {"tcp://a/b:1", "host name"},
                                          {"tcp://fd00::2:1", "brackets"},
                                          {"file://a", "three slashes"},
                                          {"file:///tmp/", "three slashes"}}) {
    EXPECT_THAT(Error({}, Processes(2, 1, url)), AllOf(HasSubstr(why), HasSubstr(url))) << url;
    RankFlags flags;
    flags.dist_url = url;
    EXPECT_THAT(Error(Srun(), flags), HasSubstr(why)) << url;
  }
}

}  // namespace
}  // namespace dist
