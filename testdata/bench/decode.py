"""Decodes a candump log with python-can and cantools, to be timed.

usage: decode.py WANTED LOG [ROWS]
WANTED is a JSON file: {channel: {"dbc": file, "messages": {frame id: [signal]}}};
no messages stands for every message of the DBC with every signal. It prints
the number of frames, of frames decoded, and of samples of the signals named.
With ROWS it also writes every sample to that file, as vignette signals does.
"""
import json
import sys

import can
import cantools


def plan(entry):
    """Gives message and names of the wanted signals by frame id."""
    database = cantools.database.load_file(entry["dbc"])
    if entry["messages"] is None:
        return {m.frame_id: (m, None) for m in database.messages}
    wanted = {int(key): names for key, names in entry["messages"].items()}
    return {key: (database.get_message_by_frame_id(key), names) for key, names in wanted.items()}


with open(sys.argv[1], encoding="utf-8") as file:
    plans = {channel: plan(entry) for channel, entry in json.load(file).items()}
rows = open(sys.argv[3], "w", encoding="utf-8") if len(sys.argv) > 3 else None
frames = decoded = samples = 0
for message in can.CanutilsLogReader(sys.argv[2]):
    frames += 1
    found = plans[message.channel].get(message.arbitration_id)
    if found is None:
        continue
    values = found[0].decode(message.data, decode_choices=False, allow_truncated=True)
    decoded += 1
    if rows is not None:
        for name, value in values.items():
            rows.write(f"{message.timestamp:.6f},{message.channel},{found[0].name},{name},{value}\n")
    if found[1] is None:
        samples += len(values)
    else:
        for name in found[1]:
            if name in values:
                samples += 1
print(frames, decoded, samples)
