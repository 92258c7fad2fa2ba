"""Libraries of the system, each exposed as a repository of its own.

A repository holds links to the library's headers, a BUILD file from `third_party/<name>/`, and `system.bzl`, which says
how the installed release is linked: Abseil, for one, is cut into other libraries in each release. pkg-config knows; what
it does not know is looked for as a file. A library that is missing is reported by name, with the package that brings it,
before anything is compiled.
"""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")

_SETUP = "run tools/setup.sh of MoCo++"

_LIB_DIRS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64", "/usr/local/lib"]

def _missing(rctx, what):
    fail("\n\n%s is not installed: %s. Install the Debian package %s, or %s.\n" % (
        rctx.name,
        what,
        rctx.attr.package,
        _SETUP,
    ))

def _pkg_config(rctx, query):
    """The words that pkg-config answers about the library's modules."""
    program = rctx.which("pkg-config")
    if not program:
        fail("\n\nThe program pkg-config is not installed. Install the Debian package pkgconf, or %s.\n" % _SETUP)
    answer = rctx.execute([program, query] + rctx.attr.modules)
    if answer.return_code != 0:
        _missing(rctx, "pkg-config says: " + answer.stderr.strip().split("\n")[0])
    return [word for word in answer.stdout.replace("\n", " ").split(" ") if word]

def _link_options(rctx):
    if rctx.attr.modules:
        # Only what is used is linked: the modules' lists name everything below them, too.
        return ["-Wl,--push-state,--as-needed"] + _pkg_config(rctx, "--libs") + ["-Wl,--pop-state"]
    for lib in rctx.attr.libs:
        files = ["%s/lib%s.%s" % (folder, lib, ending) for folder in _LIB_DIRS for ending in ["so", "a"]]
        if not [file for file in files if rctx.path(file).exists]:
            _missing(rctx, "lib%s is missing" % lib)
    return ["-l" + lib for lib in rctx.attr.libs]

def _system_library_impl(rctx):
    root = rctx.attr.header_root or _pkg_config(rctx, "--variable=includedir")[0]
    for header in rctx.attr.headers:
        if not rctx.path(root + "/" + header).exists:
            _missing(rctx, "%s/%s is missing" % (root, header))
        rctx.symlink(root + "/" + header, "include/" + header)
    for header in rctx.attr.older_headers:
        if rctx.path(root + "/" + header).exists:
            rctx.symlink(root + "/" + header, "include/" + header)
    for program in rctx.attr.programs:
        if not rctx.which(program):
            _missing(rctx, "the program %s is missing" % program)
    defines = []
    if rctx.attr.define:
        defines = [word[2:] for word in _pkg_config(rctx, "--cflags") if word.startswith("-D" + rctx.attr.define)]
    rctx.file("system.bzl", "LINKOPTS = %s\n\nDEFINES = %s\n" % (repr(_link_options(rctx)), repr(defines)))
    rctx.symlink(rctx.attr.build_file, "BUILD")

_system_library = repository_rule(
    implementation = _system_library_impl,
    local = True,
    attrs = {
        "build_file": attr.label(allow_single_file = True),
        "define": attr.string(doc = "a macro that the headers of some releases require"),
        "header_root": attr.string(default = "/usr/include", doc = "empty: pkg-config knows"),
        "headers": attr.string_list(mandatory = True),
        "libs": attr.string_list(doc = "without modules: names of the libraries, in the order of linking"),
        "modules": attr.string_list(doc = "of pkg-config"),
        "older_headers": attr.string_list(doc = "that newer releases do not have"),
        "package": attr.string(mandatory = True),
        "programs": attr.string_list(),
    },
    environ = ["PKG_CONFIG_PATH"],
)

def _library(name, **kwargs):
    maybe(
        _system_library,
        name = name,
        build_file = Label("//third_party/%s:%s.BUILD" % (name, name)),
        **kwargs
    )

def system_libraries():
    """Declares @absl, @deflate, @faiss, @gflags, @gif, @glog, @gtest, @isal, @jpeg, @json, @onnx, @opencv,
    @openjpeg, @png, @protobuf, @tiff, @turbojpeg, @webp and @zlib."""
    _library(
        name = "absl",
        headers = ["absl"],
        modules = [
            "absl_statusor",
            "absl_status",
            "absl_flat_hash_map",
            "absl_inlined_vector",
            "absl_str_format",
            "absl_strings",
        ],
        package = "libabsl-dev",
    )
    _library(name = "deflate", headers = ["libdeflate.h"], modules = ["libdeflate"], package = "libdeflate-dev")
    _library(name = "faiss", headers = ["faiss"], libs = ["faiss", "lapack", "blas"], package = "libfaiss-dev")
    _library(name = "gflags", headers = ["gflags"], modules = ["gflags"], package = "libgflags-dev")
    _library(name = "gif", headers = ["gif_lib.h"], libs = ["gif"], package = "libgif-dev")
    _library(
        name = "glog",
        define = "GLOG_",
        headers = ["glog"],
        modules = ["libglog"],
        package = "libgoogle-glog-dev",
    )
    _library(
        name = "gtest",
        headers = ["gtest", "gmock"],
        modules = ["gmock_main", "gmock", "gtest"],
        package = "libgtest-dev libgmock-dev",
    )
    _library(name = "isal", headers = ["isa-l"], modules = ["libisal"], package = "libisal-dev")
    _library(
        name = "jpeg",
        headers = ["jpeglib.h", "jmorecfg.h", "jerror.h"],
        modules = ["libjpeg"],
        package = "libjpeg-dev",
    )
    _library(name = "json", headers = ["nlohmann"], package = "nlohmann-json3-dev")
    _library(name = "onnx", headers = ["onnx"], libs = ["onnx_proto"], package = "libonnx-dev")
    _library(
        name = "opencv",
        header_root = "/usr/include/opencv4",
        headers = ["opencv2"],
        # pkg-config would name all of OpenCV.
        libs = ["opencv_imgproc", "opencv_core"],
        package = "libopencv-core-dev libopencv-imgproc-dev",
    )
    _library(
        name = "openjpeg",
        header_root = "",
        headers = ["openjpeg.h", "opj_config.h"],
        modules = ["libopenjp2"],
        older_headers = ["opj_stdint.h"],
        package = "libopenjp2-7-dev",
    )
    _library(
        name = "png",
        headers = ["png.h", "pngconf.h", "pnglibconf.h"],
        modules = ["libpng", "zlib"],
        package = "libpng-dev",
    )
    _library(
        name = "protobuf",
        headers = ["google/protobuf"],
        modules = ["protobuf"],
        package = "libprotobuf-dev protobuf-compiler",
        programs = ["protoc"],
    )
    _library(
        name = "tiff",
        header_root = "",
        headers = ["tiff.h", "tiffconf.h", "tiffio.h", "tiffvers.h"],
        modules = ["libtiff-4"],
        package = "libtiff-dev",
    )
    _library(name = "turbojpeg", headers = ["turbojpeg.h"], modules = ["libturbojpeg"], package = "libturbojpeg0-dev")
    _library(
        name = "webp",
        headers = ["webp"],
        modules = ["libwebpdemux", "libwebp"],
        package = "libwebp-dev",
    )
    _library(name = "zlib", headers = ["zlib.h", "zconf.h"], modules = ["zlib"], package = "zlib1g-dev")
