"""Carrying out: from a signed work order to a truthful, redacted outcome."""
