"""Print what cantools makes of DBC files, for the oracle tests of package dbc.

Usage: cantools_dump.py file.dbc...

Each file gives one line of JSON: {"File": path, "Error": text} or
{"File": path, "Messages": [...]}, messages and signals by name.
"""

import json
import sys

import cantools


def signal(s):
    choices = {str(k): str(v) for k, v in (s.choices or {}).items()}
    return {
        "Name": s.name,
        "Start": s.start,
        "Length": s.length,
        "BigEndian": s.byte_order == "big_endian",
        "Signed": s.is_signed,
        "Float": s.is_float,
        "Factor": float(s.scale).hex(),
        "Offset": float(s.offset).hex(),
        "Min": float(s.minimum or 0).hex(),
        "Max": float(s.maximum or 0).hex(),
        "Unit": s.unit or "",
        "Multiplexer": s.is_multiplexer,
        "MuxIDs": sorted(s.multiplexer_ids or []),
        "Values": choices,
    }


def message(m):
    return {
        "Name": m.name,
        "ID": m.frame_id,
        "Extended": m.is_extended_frame,
        "Length": m.length,
        "Cycle": m.cycle_time or 0,
        "FD": m.is_fd,
        "Signals": [signal(s) for s in sorted(m.signals, key=lambda s: s.name)],
    }


def encoding(path):
    with open(path, "rb") as file:
        text = file.read()
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


for path in sys.argv[1:]:
    try:
        database = cantools.database.load_file(
            path, strict=False, database_format="dbc", encoding=encoding(path)
        )
    except Exception as error:  # whatever cantools raises, the file does not load
        print(json.dumps({"File": path, "Error": str(error)}))
        continue
    messages = [message(m) for m in sorted(database.messages, key=lambda m: m.name)]
    print(json.dumps({"File": path, "Messages": messages}))
