"""How the toolkit tells the runner something: a display message with a MIME type of our own beside plain text.

Jupyter shows the text and ignores the rest; outside IPython the text is printed. IPython is used only where it is
already loaded.
"""

from __future__ import annotations

import sys

RECORD = "application/vnd.runbook.record+json"
ARTIFACT = "application/vnd.runbook.artifact+json"
SAMPLES = "application/vnd.runbook.samples+json"


def show(mime: str, data: dict[str, object], *, text: str) -> None:
    """Publish `data` under `mime`, with `text` for people."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        sys.stdout.write(text + "\n")
    else:
        shell.display_pub.publish({mime: data, "text/plain": text})
