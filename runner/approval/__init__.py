"""Who may say yes: policy, the approvals that count, and the verdict with its reasons. Nothing here does any I/O."""
