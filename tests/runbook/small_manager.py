"""A manager for the service of the tests: keeps `current/serve.py` running, and starts it afresh on SIGHUP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

folder, port = Path(sys.argv[1]), sys.argv[2]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGTERM})


def start() -> subprocess.Popen[bytes]:
    """Start what `current` points to now."""
    child = subprocess.Popen([sys.executable, str(folder / "current" / "serve.py"), port])
    (folder / "service.pid").write_text(str(child.pid))
    return child


service = start()
(folder / "manager.pid").write_text(str(os.getpid()))
sys.stdout.write("ready\n")
sys.stdout.flush()
while True:
    number = signal.sigwait({signal.SIGHUP, signal.SIGTERM})
    service.kill()
    service.wait()
    if number == signal.SIGTERM:
        break
    service = start()
