"""Does one piece of work with python-can and cantools and times it.

usage: speed.py decode LOG DBC | speed.py read LOG | speed.py load DBC | speed.py check LOG DBC
decode reads a candump log and decodes every signal of every frame, read reads
a recording, load loads a database. check decodes too and prints the signals and
the sum of the bits of their values, modulo 2**64. The others print how much it did (signals, frames,
signals of the database) and the seconds of processor time of the work alone,
without Python's start.
"""
import struct
import sys
import time

import can
import cantools


def decode(log, dbc):
    database = cantools.database.load_file(dbc)
    messages = {(m.frame_id, m.is_extended_frame): m for m in database.messages}
    begin = time.process_time()
    samples = 0
    for frame in can.CanutilsLogReader(log):
        message = messages.get((frame.arbitration_id, frame.is_extended_id))
        if message is not None:
            samples += len(message.decode(frame.data, decode_choices=False, allow_truncated=True))
    return samples, time.process_time() - begin


def check(log, dbc):
    database = cantools.database.load_file(dbc)
    messages = {(m.frame_id, m.is_extended_frame): m for m in database.messages}
    samples = total = 0
    for frame in can.CanutilsLogReader(log):
        message = messages[frame.arbitration_id, frame.is_extended_id]
        for value in message.decode(frame.data, decode_choices=False, allow_truncated=True).values():
            total += struct.unpack("<Q", struct.pack("<d", value))[0]
            samples += 1
    return samples, total % 2**64


def read(log):
    begin = time.process_time()
    with can.LogReader(log) as reader:
        frames = sum(1 for _ in reader)
    return frames, time.process_time() - begin


def load(dbc):
    begin = time.process_time()
    database = cantools.database.load_file(dbc, strict=False)
    seconds = time.process_time() - begin
    return sum(len(m.signals) for m in database.messages), seconds


print(*{"decode": decode, "read": read, "load": load, "check": check}[sys.argv[1]](*sys.argv[2:]))
