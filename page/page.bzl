"""Styles and scripts of pages as C++ string literals."""

def page_literals(names):
    """For each file, `<name>.inc`: a raw string literal of its text, to be included where a string is expected."""
    for name in names:
        native.genrule(
            name = name.replace(".", "_"),
            srcs = [name],
            outs = [name + ".inc"],
            cmd = "(printf 'R\"page('; cat $<; printf ')page\"') > $@",
        )
