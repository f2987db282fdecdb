"""Decode logs with cantools, for the oracle tests of package dbc.

Usage: cantools_decode.py file.dbc file.log [file.dbc file.log]...

A log is candump's or GVRET CSV; a line "end" follows each. Each frame gives one line:

    <index> <id in hex> <"x" extended or "-"> { <signal> <raw> <physical> }

raw is a signed or unsigned decimal integer, or the bits of an IEEE float, or
nan;
physical is raw * factor + offset in two roundings, as Python's float.hex().
A frame whose id the DBC lacks gives "<index> unknown". cantools gives a whole
message up where a multiplexer selects nothing or where signals overlap; such a
frame gives "<index> <id> <x> ~" and the samples that cantools gets when each
signal, with the multiplexers above it, is a message of its own. A signal that
it cannot unpack even so is "<signal> ? ?".
"""

import copy
import math
import struct
import sys

import cantools
from cantools.database.can import Message
from cantools.database.errors import DecodeError


def candump(lines):
    for line in lines:
        fields = line.split()
        if not fields:
            continue
        ident, data = fields[2].split("#", 1)
        if data.startswith("#"):
            data = data[2:]
        yield int(ident, 16), len(ident) == 8, bytes.fromhex(data)


def gvret(lines):
    for line in lines[1:]:
        cells = line.strip().split(",")
        length = int(cells[4])
        yield int(cells[1], 16), cells[2] == "true", bytes(int(c, 16) for c in cells[5 : 5 + length])


def bits(signal, raw):
    if not signal.is_float:
        return raw
    if math.isnan(raw):
        return "nan"
    if signal.length == 32:
        return struct.unpack("<I", struct.pack("<f", raw))[0]
    return struct.unpack("<Q", struct.pack("<d", raw))[0]


def sample(message, name, raw, scaled):
    signal = message.get_signal_by_name(name)
    physical = float(raw) * float(signal.scale) + float(signal.offset)
    same = math.isclose(physical, scaled, rel_tol=1e-12, abs_tol=1e-300)
    if not same and not (math.isnan(physical) and math.isnan(scaled)):
        sys.exit(f"{message.name}.{name}: cantools scales {raw} to {scaled}, the formula gives {physical}")
    return f"{name} {bits(signal, raw)} {physical.hex()}"


def alone(message, name, cache):
    """The message with that signal and the multiplexers above it only."""
    key = (message.name, name)
    if key not in cache:
        chain = [message.get_signal_by_name(name)]
        while chain[-1].multiplexer_signal is not None:
            chain.append(message.get_signal_by_name(chain[-1].multiplexer_signal))
        chain[0] = copy.copy(chain[0])
        chain[0].is_multiplexer = False  # it has nothing to select here
        cache[key] = Message(
            message.frame_id, "M", message.length, chain, strict=False, is_extended_frame=message.is_extended_frame
        )
    return cache[key]


def one_by_one(message, data, cache):
    for signal in message.signals:
        name, part = signal.name, alone(message, signal.name, cache)
        try:
            raws = part.decode(data, decode_choices=False, scaling=False, allow_truncated=True)
            scaled = part.decode(data, decode_choices=False, scaling=True, allow_truncated=True)
        except DecodeError as error:
            if "multiplexer id" not in str(error):
                yield f"{name} ? ?"
            continue
        if name in raws:
            yield sample(part, name, raws[name], scaled[name])


def decode(dbc, log):
    database = cantools.database.load_file(dbc, strict=False, database_format="dbc")
    cache = {}
    messages = {(m.frame_id, m.is_extended_frame): m for m in database.messages}
    with open(log, encoding="ascii") as file:
        lines = file.readlines()
    frames = gvret(lines) if lines[0].startswith("Time Stamp") else candump(lines)
    for index, (ident, extended, data) in enumerate(frames):
        message = messages.get((ident, extended))
        if message is None:
            print(index, "unknown")
            continue
        head = f"{index} {ident:X} {'x' if extended else '-'}"
        try:
            raws = message.decode(data, decode_choices=False, scaling=False, allow_truncated=True)
            scaled = message.decode(data, decode_choices=False, scaling=True, allow_truncated=True)
        except DecodeError:
            print(head, "~", *one_by_one(message, data, cache))
            continue
        print(head, *(sample(message, n, r, scaled[n]) for n, r in raws.items()))


for pair in range(1, len(sys.argv), 2):
    decode(*sys.argv[pair : pair + 2])
    print("end")
