"""A child process of an engine that does not speak its language."""

from __future__ import annotations

import os
import struct
import sys
import time

from engines.llama_cpp.messages import Ended, encode

SPEECHES = {
    "noise": b"loading the model ... done\n" * 400,
    "a huge frame": b"\xff\xff\xff\xff" + bytes(1000),
    "half a frame": struct.pack("<I", 1000) + b"x",
    "foreign messages": b"".join(
        struct.pack("<I", len(each)) + each for each in [encode(Ended("all is well"))]
    ),
    "nothing": b"",
    "a promise": struct.pack("<I", 1000) + b"x",
}

if __name__ == "__main__":
    what = os.environ["DAI_TEST_GARBAGE"]
    sys.stdout.buffer.write(SPEECHES[what])
    sys.stdout.buffer.flush()
    if what not in ("half a frame", "nothing"):
        time.sleep(60)  # ended by its parent
