// Saves checkpoints while save_test.sh injects faults, one in the folder of each case:
//
//   saves prepare FOLDER         writes an old checkpoint into each
//   saves save FOLDER NAME       writes a new one into each, in a process of its own
//   saves check FOLDER           prints from which one a run would resume: "old" or "new"
//
// A case is a system call and a number n. Its process first makes so many harmless calls of that
// kind that the kCounted-th call is the n-th one of its save. strace, which counts the calls of
// each kind in each process, can then inject a fault into the kCounted-th call of every case, while
// LibTorch is loaded only once. `save` prints the exit code of each case, or "killed"; `check`
// prints what it found.
#include <ATen/ops/full.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/resume.h"

namespace {

constexpr int kCounted = 250;  // more calls than loading the program makes

// System calls that access files, with more calls than a save makes; the others concern memory.
struct Calls {
  long kind;
  int cases;
};
constexpr Calls kCalls[] = {{SYS_openat, 25}, {SYS_write, 60},      {SYS_fsync, 4},
                            {SYS_close, 25},  {SYS_rename, 3},      {SYS_unlink, 3},
                            {SYS_mkdir, 3},   {SYS_newfstatat, 25}, {SYS_getdents64, 12}};

constexpr int kOld = 1, kNew = 2;
constexpr int64_t kElements = 5000;

moco::Checkpoint Make(int value) {
  moco::Checkpoint c;
  c.epoch = value;
  c.state = {{"a", at::full({kElements}, value)}, {"b", at::full({kElements}, value)}};
  return c;
}

std::string Path(const std::string& folder, const char* name) {
  return absl::StrCat(folder, "/checkpoints/", name);
}

int Save(const std::string& folder, const char* name, long kind, int idle_calls) {
  const moco::Checkpoint c = Make(kNew);
  for (int i = 0; i < idle_calls; ++i) syscall(kind, -1, nullptr, nullptr, nullptr);
  if (!moco::WriteCheckpoint(Path(folder, name), c).ok()) return 1;
  moco::RemoveOldCheckpoints(folder, /*keep=*/1);
  return 0;
}

// Every file with a checkpoint's name must be undamaged; the newest one counts.
std::string Check(const std::string& folder) {
  const std::vector<std::string> all = moco::ListCheckpoints(folder);
  const auto point = moco::FindResumePoint("", all);
  if (all.empty() || !point.ok()) return "lost";
  for (const std::string& path : all) {
    if (!moco::ReadCheckpoint(path).ok()) return "damaged";
  }
  const int value = point->checkpoint.epoch;
  for (const auto& [name, tensor] : point->checkpoint.state) {
    if (!tensor.eq(value).all().item<bool>()) return "mixed";
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/checkpoints")) {
    if (absl::StrContains(entry.path().string(), ".part-")) return value == kNew ? "new+" : "old+";
  }
  return value == kNew ? "new" : "old";
}

struct Case {
  std::string folder;
  long kind;
  int number;  // from 1
};

std::vector<Case> Cases(const std::string& folder) {
  std::vector<Case> cases;
  for (const auto& [kind, count] : kCalls) {
    for (int i = 1; i <= count; ++i) {
      cases.push_back({absl::StrCat(folder, "/", kind, "_", i), kind, i});
    }
  }
  return cases;
}

// All processes exist before the first one ends, because strace would continue the counts of an
// ended process for a new one in its place.
std::vector<std::string> SaveAll(const std::vector<Case>& cases, const char* name) {
  int start[2];
  if (pipe(start) != 0) return {};
  std::vector<pid_t> children;
  for (const auto& [folder, kind, number] : cases) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    char go;
    if (read(start[0], &go, 1) != 1) _exit(2);
    _exit(Save(folder, name, kind, kCounted - number));
  }
  const std::string go(cases.size(), '!');
  if (write(start[1], go.data(), go.size()) < 0) return {};
  std::vector<std::string> outcomes;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    outcomes.push_back(WIFEXITED(status) ? absl::StrCat(WEXITSTATUS(status)) : "killed");
  }
  return outcomes;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argv[1];
  const std::vector<Case> cases = Cases(argv[2]);
  std::vector<std::string> said;
  if (what == "save") said = SaveAll(cases, argv[3]);
  for (const Case& c : cases) {
    if (what == "check") said.push_back(absl::StrCat(Check(c.folder), " ", c.kind));
    if (what == "prepare" &&
        !moco::WriteCheckpoint(Path(c.folder, "checkpoint_0000.pth.tar"), Make(kOld)).ok()) {
      return 1;
    }
  }
  for (const std::string& line : said) std::puts(line.c_str());
}
