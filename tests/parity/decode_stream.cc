// The decoder for Python. Reads "SIZE CHANNELS ignore|apply\n" and the SIZE bytes of an image file,
// again and again; answers "ROWS COLS CHANNELS\n" and the pixels, or "0 0 0 why not\n".
#include <cstdint>
#include <iostream>
#include <string>

#include "data/decode.h"
#include "data/decode_options.h"

int main() {
  std::ios::sync_with_stdio(false);
  size_t size;
  int channels;
  std::string exif;
  while (std::cin >> size >> channels >> exif) {
    std::cin.ignore();
    std::string bytes(size, '\0');
    std::cin.read(bytes.data(), static_cast<std::streamsize>(size));
    const auto image = data::DecodeImage(bytes, data::MakeDecodeOptions(channels, exif, 100));
    if (image.ok()) {
      std::cout << image->rows << " " << image->cols << " " << image->channels() << "\n";
      for (int y = 0; y < image->rows; ++y) {
        std::cout.write(image->ptr<char>(y),
                        static_cast<std::streamsize>(image->cols * image->elemSize()));
      }
    } else {
      std::cout << "0 0 0 " << image.status().message() << "\n";
    }
    std::cout.flush();
  }
}
