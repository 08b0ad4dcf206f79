"""The sealed record: what lies where under `outputs/`, and the one commit that puts it there."""
