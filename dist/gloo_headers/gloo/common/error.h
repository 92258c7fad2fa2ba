// See gloo/algorithm.h.
