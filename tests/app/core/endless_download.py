"""A program that works on the list of downloads until it is killed: folder of the device, and the hub."""

import sys
import threading
from pathlib import Path

from app.core.download import DownloadState
from tests.app.core.downloading import Device

process = Device(Path(sys.argv[1]), sys.argv[2]).process()
process.downloads.start()
[download] = process.downloads.list()
process.wait(download.id, DownloadState.RUNNING, lambda shown: shown.done_bytes >= 300_000)
sys.stdout.write("300000\n")
sys.stdout.flush()
threading.Event().wait()
