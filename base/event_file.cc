#include "base/event_file.h"

#include <isa-l/crc.h>

#include "base/event.pb.h"

namespace base {
namespace {

// CRC-32C, masked as in TensorFlow's record files, because the plain CRC of data that contains CRCs
// is weak.
uint32_t MaskedCrc(const std::string& bytes) {
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  const uint32_t crc = ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~0u);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

template <class Integer>
std::string LittleEndian(Integer value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(value); ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

std::string Record(const tensorboard::Event& event) {
  const std::string data = event.SerializeAsString();
  const std::string length = LittleEndian<uint64_t>(data.size());
  return length + LittleEndian(MaskedCrc(length)) + data + LittleEndian(MaskedCrc(data));
}

}  // namespace

std::string EventFileVersion(double time) {
  tensorboard::Event event;
  event.set_wall_time(time);
  event.set_file_version("brain.Event:2");
  return Record(event);
}

std::string SessionStart(double time, int64_t step) {
  tensorboard::Event event;
  event.set_wall_time(time);
  event.set_step(step);
  event.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  return Record(event);
}

std::string ScalarEvent(double time, int64_t step,
                        const std::vector<std::pair<std::string, double>>& scalars) {
  tensorboard::Event event;
  event.set_wall_time(time);
  event.set_step(step);
  for (const auto& [name, value] : scalars) {
    tensorboard::Summary::Value& scalar = *event.mutable_summary()->add_value();
    scalar.set_tag(name);
    scalar.set_simple_value(static_cast<float>(value));
  }
  return Record(event);
}

}  // namespace base
