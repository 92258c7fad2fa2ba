// A file descriptor that closes itself.
#ifndef BASE_DESCRIPTOR_H_
#define BASE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace base {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}  // negative: none
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  // False, with errno, for a write error that write(2) did not report.
  bool Close() { return close(Release()) == 0; }

 private:
  int fd_;
};

}  // namespace base

#endif  // BASE_DESCRIPTOR_H_
