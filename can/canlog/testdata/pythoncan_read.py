"""Read a log with python-can, for the oracle tests of package canlog.

Usage: pythoncan_read.py FILE

Each message gives one line of JSON. The format is taken from the suffix.
With --speed before FILE it prints the number of messages and the seconds.
"""

import json
import sys
import time

import can


def main():
    if sys.argv[1] == "--speed":
        begin = time.perf_counter()
        with can.LogReader(sys.argv[2]) as log:
            count = sum(1 for _ in log)
        print(count, time.perf_counter() - begin)
        return
    with can.LogReader(sys.argv[1]) as log:
        for m in log:
            print(
                json.dumps(
                    {
                        "t": m.timestamp,
                        "ch": m.channel if isinstance(m.channel, int) else 0,
                        "id": m.arbitration_id,
                        "ext": m.is_extended_id,
                        "rtr": m.is_remote_frame,
                        "err": m.is_error_frame,
                        "fd": m.is_fd,
                        "brs": m.bitrate_switch,
                        "esi": m.error_state_indicator,
                        "rx": m.is_rx,
                        "dlc": m.dlc,
                        "data": bytes(m.data).hex(),
                    }
                )
            )


main()
