"""A runbook: a parameterized notebook at a commit, read and checked without executing anything."""
