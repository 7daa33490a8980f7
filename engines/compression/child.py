"""The child process of a job: `python -m engines.compression.child`; it ends when its parent does.

llama.cpp cannot be told to stop compressing, and a model that does not fit into memory ends its process, so
this work has one of its own.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading

from engines.compression.jobs import Answer, Job, Worked, decode_job, encode
from engines.compression.work import do


def main() -> None:
    """Do the one job that stands in the first line of the input."""
    faulthandler.enable()
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get among the answers
    sys.stdout = sys.stderr

    def tell(answer: Answer) -> None:
        try:
            answers.write(encode(answer) + b"\n")
            answers.flush()
        except OSError:  # the parent is gone
            os._exit(1)

    def end_with_parent() -> None:
        requests.read()
        os._exit(1)

    job: Job = decode_job(requests.readline())
    threading.Thread(target=end_with_parent, name="end with parent", daemon=True).start()
    tell(do(job, lambda share: tell(Worked(share))))
    os._exit(0)


if __name__ == "__main__":
    main()
