"""Libraries of the system (Debian 12), each exposed as a repository of its own.

A repository holds links to the library's headers and a BUILD file from `third_party/<name>/`. What is
missing is reported by name, with the package that brings it, before anything is compiled.
"""

_SETUP = "run ./tools/setup.sh"

def _find(rctx, names):
    for name in names:
        if rctx.path(name).exists:
            return name
    return None

def _system_library_impl(rctx):
    root = rctx.attr.header_root
    for header in rctx.attr.headers:
        if not rctx.path(root + "/" + header).exists:
            fail("\n\n%s is not installed: %s/%s is missing. Install the Debian package %s, or %s.\n" % (
                rctx.name,
                root,
                header,
                rctx.attr.package,
                _SETUP,
            ))
        rctx.symlink(root + "/" + header, "include/" + header)
    for program in rctx.attr.programs:
        if not rctx.which(program):
            fail("\n\nThe program %s is not installed. Install the Debian package %s, or %s.\n" % (
                program,
                rctx.attr.package,
                _SETUP,
            ))
    for lib in rctx.attr.libs:
        if not _find(rctx, [d + "/lib" + lib + ".so" for d in rctx.attr.lib_dirs] + [d + "/lib" + lib + ".a" for d in rctx.attr.lib_dirs]):
            fail("\n\n%s is not installed: lib%s is missing. Install the Debian package %s, or %s.\n" % (
                rctx.name,
                lib,
                rctx.attr.package,
                _SETUP,
            ))
    rctx.symlink(rctx.attr.build_file, "BUILD")

_system_library = repository_rule(
    implementation = _system_library_impl,
    local = True,
    attrs = {
        "build_file": attr.label(allow_single_file = True),
        "header_root": attr.string(default = "/usr/include"),
        "headers": attr.string_list(mandatory = True),
        "lib_dirs": attr.string_list(default = ["/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64", "/usr/local/lib"]),
        "libs": attr.string_list(),
        "package": attr.string(mandatory = True),
        "programs": attr.string_list(),
    },
)

def _library(name, **kwargs):
    _system_library(
        name = name,
        build_file = "//third_party/%s:%s.BUILD" % (name, name),
        **kwargs
    )

def system_libraries():
    """Declares @absl, @deflate, @faiss, @gflags, @gif, @glog, @gtest, @isal, @jpeg, @json, @onnx, @opencv,
    @openjpeg, @png, @protobuf, @tiff, @turbojpeg, @webp and @zlib."""
    _library(
        name = "absl",
        headers = ["absl"],
        libs = ["absl_status", "absl_strings", "absl_synchronization", "absl_time"],
        package = "libabsl-dev",
    )
    _library(name = "deflate", headers = ["libdeflate.h"], libs = ["deflate"], package = "libdeflate-dev")
    _library(name = "faiss", headers = ["faiss"], libs = ["faiss", "lapack", "blas"], package = "libfaiss-dev")
    _library(name = "gflags", headers = ["gflags"], libs = ["gflags"], package = "libgflags-dev")
    _library(name = "gif", headers = ["gif_lib.h"], libs = ["gif"], package = "libgif-dev")
    _library(name = "glog", headers = ["glog"], libs = ["glog"], package = "libgoogle-glog-dev")
    _library(name = "gtest", headers = ["gtest", "gmock"], libs = ["gtest", "gmock"], package = "libgtest-dev libgmock-dev")
    _library(name = "isal", headers = ["isa-l"], libs = ["isal"], package = "libisal-dev")
    _library(
        name = "jpeg",
        headers = ["jpeglib.h", "jmorecfg.h", "jerror.h"],
        libs = ["jpeg"],
        package = "libjpeg62-turbo-dev",
    )
    _library(name = "json", headers = ["nlohmann"], package = "nlohmann-json3-dev")
    _library(name = "onnx", headers = ["onnx"], libs = ["onnx_proto"], package = "libonnx-dev")
    _library(
        name = "opencv",
        header_root = "/usr/include/opencv4",
        headers = ["opencv2"],
        libs = ["opencv_core", "opencv_imgproc"],
        package = "libopencv-core-dev libopencv-imgproc-dev",
    )
    _library(
        name = "openjpeg",
        header_root = "/usr/include/openjpeg-2.5",
        headers = ["openjpeg.h", "opj_config.h", "opj_stdint.h"],
        libs = ["openjp2"],
        package = "libopenjp2-7-dev",
    )
    _library(name = "png", headers = ["png.h", "pngconf.h", "pnglibconf.h"], libs = ["png16", "z"], package = "libpng-dev")
    _library(
        name = "protobuf",
        headers = ["google/protobuf"],
        libs = ["protobuf"],
        package = "libprotobuf-dev protobuf-compiler",
        programs = ["protoc"],
    )
    _library(
        name = "tiff",
        header_root = "/usr/include/x86_64-linux-gnu",
        headers = ["tiff.h", "tiffconf.h", "tiffio.h", "tiffvers.h"],
        libs = ["tiff"],
        package = "libtiff-dev",
    )
    _library(name = "turbojpeg", headers = ["turbojpeg.h"], libs = ["turbojpeg"], package = "libturbojpeg0-dev")
    _library(name = "webp", headers = ["webp"], libs = ["webp", "webpdemux"], package = "libwebp-dev")
    _library(name = "zlib", headers = ["zlib.h", "zconf.h"], libs = ["z"], package = "zlib1g-dev")
