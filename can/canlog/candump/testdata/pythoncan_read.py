"""Read a candump log with python-can, for the oracle tests of package candump.

Usage: pythoncan_read.py file.log

Each message gives one line: time as float.hex(), channel, id in hex, flags,
length, data in hex or "-". Flags are letters: x extended, r remote, e error,
f FD, b bit rate switch, s error state indicator, t transmitted; "-" for none.
"""

import sys

from can import CanutilsLogReader


def main():
    with CanutilsLogReader(sys.argv[1]) as log:
        for m in log:
            if m.is_error_frame:
                print(m.timestamp.hex(), "-", 0, "e", 0, "-")
                continue
            marks = (
                ("x", m.is_extended_id),
                ("r", m.is_remote_frame),
                ("f", m.is_fd),
                ("b", m.bitrate_switch),
                ("s", m.error_state_indicator),
                ("t", not m.is_rx),
            )
            flags = "".join(letter for letter, is_set in marks if is_set) or "-"
            print(m.timestamp.hex(), m.channel, f"{m.arbitration_id:X}", flags, m.dlc, bytes(m.data).hex() or "-")


main()
