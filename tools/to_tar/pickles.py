"""Values of pickles, without running anything in them: a machine that builds values and resolves no name."""

import pickletools


class Refused(ValueError):
    pass


_VALUES = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
           "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "UNICODE", "BINUNICODE",
           "SHORT_BINUNICODE", "BINUNICODE8"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_MARK = object()
# How Python 3 writes bytes for protocols below 3: _codecs.encode(text, "latin1"), and bytes() if there are none.
_OF_BYTES = {"_codecs encode": lambda text, encoding: text.encode({"latin1": "latin1"}[encoding]),
             "__builtin__ bytes": lambda: b""}


def looks_like_one(data):
    return data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") and data[-1:] == b"."


def load(data):
    """Numbers, text, bytes, and lists, tuples and dicts of them. Refused, with the reason, for all else."""
    try:
        return _run(data)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # whatever a damaged pickle raises
        raise Refused(f"it is a damaged pickle ({type(error).__name__})") from None


def _run(data):
    stack, memo = [], {}

    def marked():
        at = len(stack) - 1
        while stack[at] is not _MARK:
            at -= 1
        items = stack[at + 1:]
        del stack[at:]
        return items

    for operation, argument, _ in pickletools.genops(data):
        name = operation.name
        if name in _VALUES:
            # Text of Python 2.
            stack.append(argument.encode("latin1") if "STRING" in name and isinstance(argument, str) else argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("EMPTY_LIST", "EMPTY_DICT"):
            stack.append([] if name == "EMPTY_LIST" else {})
        elif name == "EMPTY_TUPLE":
            stack.append(())
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            stack[-int(name[-1]):] = [tuple(stack[-int(name[-1]):])]
        elif name in ("TUPLE", "LIST"):
            stack.append((tuple if name == "TUPLE" else list)(marked()))
        elif name in ("APPEND", "APPENDS"):
            items = marked() if name == "APPENDS" else [stack.pop()]
            stack[-1].extend(items)
        elif name in ("SETITEM", "SETITEMS", "DICT"):
            items = [stack.pop(-2), stack.pop()] if name == "SETITEM" else marked()
            if name == "DICT":
                stack.append({})
            stack[-1].update(zip(items[::2], items[1::2]))
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "POP":
            stack.pop()
        elif name == "GLOBAL" and argument in _OF_BYTES:
            stack.append(_OF_BYTES[argument])
        elif name == "REDUCE" and stack[-2] in _OF_BYTES.values():
            stack[-2:] = [stack[-2](*stack[-1])]
        elif name in ("GLOBAL", "INST", "STACK_GLOBAL"):
            named = argument.replace(" ", ".") if argument else f"{stack[-2]}.{stack[-1]}"
            raise Refused(f"it names {named[:80]}, and nothing in a pickle is run")
        elif name == "STOP":
            return stack.pop()
        elif name not in ("PROTO", "FRAME"):
            raise Refused(f"it has the operation {name}, and nothing in a pickle is run")
    raise Refused("it is a damaged pickle (it is cut)")
