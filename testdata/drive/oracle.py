"""Decodes a candump log with cantools, the second opinion of the oracle test.

usage: oracle.py LOG
Reads powertrain.dbc (can0) and body.dbc (can1) of the working directory in
strict mode and prints one line for each frame: a JSON object of the raw
values by signal name.
"""
import json
import sys

import cantools

databases = {"can0": "powertrain.dbc", "can1": "body.dbc"}
messages = {
    channel: {m.frame_id: m for m in cantools.database.load_file(file, strict=True).messages}
    for channel, file in databases.items()
}
for line in open(sys.argv[1], encoding="ascii"):
    _, channel, frame = line.split()
    frame_id, payload = frame.split("#", 1)
    if payload.startswith("#"):
        payload = payload[2:]
    message = messages[channel][int(frame_id, 16)]
    values = message.decode(bytes.fromhex(payload), decode_choices=False, scaling=False, allow_truncated=True)
    print(json.dumps(values))
