"""The Python rules are built into Bazel 7; this hands them out under the name that others load them by."""

py_binary = native.py_binary
py_library = native.py_library
py_test = native.py_test
